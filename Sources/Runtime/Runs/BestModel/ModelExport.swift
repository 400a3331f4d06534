import Files
import Checkpoints
import Datasets
import Foundation
import Recommenders
import Tensors

/// File formats for vectors.
package enum ExportFormat: String, Sendable, CaseIterable {
  case npy
  case safetensors
}

/// Writes a run's best vectors for other programs.
package enum ModelExport {
  /// Writes the final user `[U, D]` and item `[I, D]` vectors.
  ///
  /// - Returns: the files' paths.
  /// - Throws: errors with a sentence when the run has no model or the folder cannot be written.
  package static func write(run: String, format: ExportFormat, to folder: String) throws -> [String]
  {
    let (epoch, sides) = try BestModel.using(run: run) { model in
      (model.epoch, try [Side.user, .item].map { ($0, try model.vectors($0, run: run)) })
    }
    // 80 bytes hold the longest temporary file name.
    try RuntimeError.checkRoom(in: folder, for: 80)
    try DurableFile.makeFolder(folder)
    switch format {
    case .npy:
      return try sides.map { side, matrix in
        let path = "\(folder)/\(side).npy"
        try NPYWriter.write(matrix, to: path)
        return path
      }
    case .safetensors:
      let path = "\(folder)/embeddings.safetensors"
      let writer = try SafetensorsWriter(
        path: path,
        tensors: sides.map { .init(name: "\($0)", rows: $1.rows, columns: $1.columns) },
        metadata: ["format": "mrdib-embeddings-1", "epoch": "\(epoch)"])
      for (_, matrix) in sides { try writer.append(UnsafeBufferPointer(matrix.elements)) }
      try writer.finish()
      return [path]
    }
  }
}
