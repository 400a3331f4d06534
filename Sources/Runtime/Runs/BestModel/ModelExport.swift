import Checkpoints
import Datasets
import Files
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
  /// Writes the final user `[U, D]` and item `[I, D]` vectors, and next to them the data set's
  /// tables of original ids (`users.tsv`, `items.tsv`), where it has them: row n of a table, after
  /// its header, belongs to row n of the vectors.
  ///
  /// - Parameter identifiers: nil if no tables are wanted.
  /// - Returns: the files' paths.
  /// - Throws: errors with a sentence when the run has no model, or the folder cannot be written or
  ///   holds a data set, whose tables of ids would be replaced.
  package static func write(
    run: String, format: ExportFormat, to folder: String, identifiers: OriginalIdentifiers? = nil
  ) throws -> [String] {
    try ForeignFolder.refuseDataset(folder, "export to", option: "--out")
    let (epoch, sides) = try BestModel.using(run: run) { model in
      (model.epoch, try [Side.user, .item].map { ($0, try model.vectors($0, run: run)) })
    }
    // 80 bytes hold the longest temporary file name.
    try RuntimeError.checkRoom(in: folder, for: 80)
    try DurableFile.makeFolder(folder)
    // First, so that vectors are never there without the meaning of their rows.
    let tables = try identifiers.map { try write($0, to: folder) } ?? []
    switch format {
    case .npy:
      return try sides.map { side, matrix in
        let path = "\(folder)/\(side).npy"
        try NPYWriter.write(matrix, to: path)
        return path
      } + tables
    case .safetensors:
      let path = "\(folder)/embeddings.safetensors"
      let writer = try SafetensorsWriter(
        path: path,
        tensors: sides.map { .init(name: "\($0)", rows: $1.rows, columns: $1.columns) },
        metadata: ["format": "mrdib-embeddings-1", "epoch": "\(epoch)"])
      for (_, matrix) in sides { try writer.append(UnsafeBufferPointer(matrix.elements)) }
      try writer.finish()
      return [path] + tables
    }
  }

  private static func write(
    _ identifiers: OriginalIdentifiers, to folder: String
  ) throws -> [String] {
    try [identifiers.users, identifiers.items].compactMap { $0 }.map { table in
      let writer = try IdentifierTableWriter(
        folder: folder, kind: table.kind, columns: table.columns)
      for row in 0..<table.count {
        try writer.append(
          id: table.idBytes(of: row), values: table.columns.map { table.value($0, of: row) ?? "" })
      }
      try writer.finish()
      return "\(folder)/\(table.kind.files[0])"
    }
  }
}

extension OriginalIdentifiers {
  /// The tables of the data set that a run was trained on. The data is read only if its folder has
  /// such tables.
  ///
  /// - Parameter moved: where the data is, if it was moved after training.
  /// - Returns: nil, with a note why, if the data is not there or the settings cannot be read.
  /// - Throws: errors with a sentence when the run has no model, a folder that was named is
  ///   missing, or tables are damaged or belong to other data.
  package static func find(
    ofRun run: String, moved: String?
  ) throws -> (identifiers: OriginalIdentifiers?, note: String?) {
    let trained = try BestModel.read(run: run).identifiers
    let folder: String
    do {
      folder = try moved ?? TrainedData.folder(ofRun: run)
    } catch {
      return (nil, "the ids of the rows are not written: \(error)")
    }
    guard FileManager.default.fileExists(atPath: folder) || moved != nil else {
      return (
        nil,
        "the data of '\(run)' is not in '\(folder)', so the ids of the rows are not written; "
          + "name its folder with --data"
      )
    }
    guard exist(in: folder) else { return (.empty, nil) }
    let data = try TrainedData(
      run: run, moved: moved, for: "name the rows", alternative: "use --ids dense")
    return (try OriginalIdentifiers(of: data, trainedWith: trained), nil)
  }
}
