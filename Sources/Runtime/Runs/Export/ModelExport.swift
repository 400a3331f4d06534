import Checkpoints
import Configuration
import Datasets
import Files
import Foundation
import Recommenders
import Settings
import Tensors

/// Writes a run's vectors for other programs, into a new folder.
package struct ModelExport: Sendable {
  package var run: String
  package var format: ExportFormat
  /// The vectors as they were at a checkpoint; nil: those of the best model.
  package var checkpoint: Checkpoint?
  /// Write only rows that have changed since the checkpoint of this version.
  package var since: UInt64?
  /// The names of the rows. The folder has tables of them where the data set has.
  package var identifiers: OriginalIdentifiers?
  /// Where the data is, if it was moved after training.
  package var dataFolder: String?
  /// Items of a list, for formats with lists; nil: the largest cutoff of the run.
  package var depth: Int?

  /// A checkpoint of the run.
  package enum Checkpoint: Sendable, Equatable {
    case newest
    case version(UInt64)
  }

  package init(run: String, format: ExportFormat) {
    self.run = run
    self.format = format
  }

  /// Writes the folder. It appears under its name when everything is in it.
  ///
  /// Row n of a table of ids, after its header, belongs to row n of the vectors.
  ///
  /// - Parameter replacesExisting: whether an earlier export at the path may be replaced.
  /// - Returns: the files' paths, and what the export is of.
  /// - Throws: errors with a sentence when the run has no model, its checkpoint or its data is
  ///   missing, or the folder cannot be made.
  package func write(
    to path: String, replacesExisting: Bool
  ) throws -> (files: [String], record: ExportRecord) {
    try ForeignFolder.refuseDataset(path, "export to", option: "--out")
    // 140 bytes hold the longest temporary name of a file in the longest temporary folder.
    try RuntimeError.checkRoom(in: path, for: 140)
    try checkFormat()
    let source = try TrainedSource(self)
    let vectors = try source.vectors()
    let folder = try NewFolder(
      path: path, replacesExisting: replacesExisting, content: ExportRecord.content, from: run)
    let record: ExportRecord
    if let since {
      record = try write(
        VectorChanges(from: try source.vectors(atVersion: since), to: vectors), to: folder.workPath)
    } else {
      record = ExportRecord(format, vectors)
      try write(vectors, of: source, to: folder.workPath)
      try identifiers?.write(to: folder.workPath)
    }
    try record.write(to: folder.workPath)
    let names = try PlainFile.names(in: folder.workPath, atMost: 100)
    try folder.commit()
    // As the user named the folder.
    let files = names.filter { $0 != ExportRecord.file } + [ExportRecord.file]
    return (files.map { "\(path)/\($0)" }, record)
  }

  private func checkFormat() throws {
    if since != nil, ![.npy, .csv].contains(format) {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot write changed rows as \(format.rawValue): use --format npy or csv.")
    }
    if checkpoint != nil, format == .trec {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot write lists of a checkpoint: --format trec is for the best model, whose "
          + "metrics are recorded. Leave --checkpoint out.")
    }
  }

  private func write(
    _ vectors: ExportedVectors, of source: TrainedSource, to folder: String
  ) throws {
    func writeNPY(_ sides: [Side] = Side.allCases) throws {
      for side in sides {
        try NPYWriter.write(vectors.matrix(side), to: "\(folder)/\(side).npy")
      }
    }
    switch format {
    case .npy: try writeNPY()
    case .safetensors:
      let writer = try SafetensorsWriter(
        path: "\(folder)/embeddings.safetensors",
        tensors: Side.allCases.map { side in
          let matrix = vectors.matrix(side)
          return .init(name: "\(side)", rows: matrix.rows, columns: matrix.columns)
        },
        metadata: ["format": "mrdib-embeddings-1", "epoch": "\(vectors.epoch)"])
      for side in Side.allCases {
        let matrix = vectors.matrix(side)
        try withExtendedLifetime(matrix) {
          try writer.append(UnsafeBufferPointer(matrix.elements))
        }
      }
      try writer.finish()
    case .faiss:
      try FaissIndex.write(vectors.items, to: "\(folder)/item.faiss")
      try writeNPY([.user])
    case .onnx:
      try writeNPY()
      let model = ONNXModel(
        users: try .init(npy: "\(folder)/user.npy", file: "user.npy"),
        items: try .init(npy: "\(folder)/item.npy", file: "item.npy"),
        properties: [
          ("epoch", "\(vectors.epoch)"), ("version", "\(vectors.version)"),
          ("source", vectors.source),
        ])
      try AtomicFile.write(model.bytes, to: "\(folder)/model.onnx")
    case .csv:
      for side in Side.allCases {
        try VectorCSV.write(
          vectors.matrix(side), id: { name($0, side) }, to: "\(folder)/\(side).csv")
      }
    case .trec:
      let trained = try source.trained("write lists and truth")
      try TRECFiles(
        data: trained.dataset, vectors: vectors, identifiers: identifiers ?? .empty,
        depth: depth ?? trained.configuration.selection.cutoffs.max() ?? 10
      ).write(to: folder)
    }
  }

  /// Rows that changed, with their numbers and ids.
  private func write(_ changes: VectorChanges, to folder: String) throws -> ExportRecord {
    for side in Side.allCases {
      let rows = changes.rows(side)
      let matrix = changes.after.matrix(side)
      guard format == .npy else {
        try VectorCSV.write(
          matrix, rows: rows, id: { name($0, side) }, to: "\(folder)/\(side).csv")
        continue
      }
      let writer = try NPYWriter.begin(
        path: "\(folder)/\(side).npy", rows: rows.count, columns: matrix.columns)
      try withExtendedLifetime(matrix) {
        for row in rows {
          try writer.append(matrix.pointer + row * matrix.columns, count: 1)
        }
      }
      try writer.finish()
      let lines = rows.map { "\($0)\t\(name($0, side))\n" }
      try AtomicFile.write(
        Array(("row\tid\n" + lines.joined()).utf8), to: "\(folder)/\(side)_rows.tsv")
    }
    return ExportRecord(
      format, changes.after, since: changes.before.version,
      users: changes.rows(.user).count, items: changes.rows(.item).count)
  }

  private func name(_ row: Int, _ side: Side) -> String {
    (side == .user ? identifiers?.users : identifiers?.items)?.id(of: row) ?? "\(row)"
  }
}

/// Where an export reads: the run's best model or checkpoints, and the data if it is needed.
private struct TrainedSource {
  private let export: ModelExport

  init(_ export: ModelExport) throws {
    self.export = export
    if export.checkpoint == nil, export.since == nil { _ = try BestModel.read(run: export.run) }
  }

  func trained(_ purpose: String) throws -> TrainedData {
    try TrainedData(
      run: export.run, moved: export.dataFolder, for: purpose, alternative: nil)
  }

  /// What is exported.
  func vectors() throws -> ExportedVectors {
    switch export.checkpoint ?? (export.since == nil ? nil : .newest) {
    case nil: try ExportedVectors(bestOf: export.run)
    case .newest: try vectors(of: CheckpointPlace(path: export.run).open().view)
    case .version(let version): try vectors(atVersion: version)
    }
  }

  func vectors(atVersion version: UInt64) throws -> ExportedVectors {
    try vectors(
      of: CheckpointPlace(path: export.run)
        .open(version: version, for: "export version \(version) of '\(export.run)'"))
  }

  private func vectors(of checkpoint: CheckpointView) throws -> ExportedVectors {
    let trained = try trained("compute vectors of a checkpoint")
    let setup = try RunSetup(configuration: trained.configuration, dataset: trained.dataset)
    return try ExportedVectors(of: checkpoint, setup: setup)
  }
}
