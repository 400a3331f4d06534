import Checkpoints
import Datasets
import Files
import Foundation
import Recommenders
import Tables
import Tensors
import Worker

/// Writes the best model while its tables are read from the servers, row by row.
///
/// Used by one thread at a time.
package final class BestModelWriter: @unchecked Sendable {
  private let run: String
  private let model: TrainingModel
  private let epoch: UInt32
  private let version: UInt64
  /// Of the model, relative to the run.
  private let folder: String
  private let parameters: SafetensorsWriter
  private let identifiers: IdentifierDigests?
  /// The final matrices, by table.
  private var finals: [Int: NPYWriter] = [:]

  /// - Parameters:
  ///   - identifiers: of the data set.
  ///   - keepsIdentifiers: whether those recorded with a model that the run has already stay
  ///     instead: a resumed run keeps the rows that it began with.
  /// - Throws: an error with a sentence when the files cannot be created.
  package init(
    run: String, model: TrainingModel, epoch: UInt32, version: UInt64,
    identifiers: IdentifierDigests? = nil, keepsIdentifiers: Bool = true
  ) throws {
    self.run = run
    self.model = model
    self.epoch = epoch
    self.version = version
    // The files that best.json names stay unchanged until it names the new ones.
    let folders = BestModel.folders(epoch: epoch)
    let current = try? BestModel.read(run: run)
    self.identifiers = (keepsIdentifiers ? current?.identifiers : nil) ?? identifiers
    folder = current?.folder == folders[0] ? folders[1] : folders[0]
    let path = "\(run)/\(folder)"
    // Not the run directory itself: if it was moved a moment ago, it must not appear again.
    for folder in ["\(run)/\(BestModel.parentFolder)", path] {
      try DurableFile.makeFolder(folder, makesParents: false)
    }
    Self.removeParts(in: path)
    parameters = try SafetensorsWriter(
      path: "\(path)/\(BestModel.parametersName)",
      tensors: Self.parameterTables(model).map {
        .init(
          name: model.tables[$0].name, rows: model.tables[$0].rows,
          columns: model.tables[$0].width)
      },
      metadata: ["format": "mrdib-parameters-1", "epoch": "\(epoch)", "version": "\(version)"],
      // A unique suffix: a dropped writer removes its own unfinished file and no other.
      suffix: "\(Self.partialSuffix)-\(UUID().uuidString)")
    for side in Side.allCases {
      let table = model.finalTable(side)
      finals[table] = try NPYWriter.begin(
        path: "\(path)/\(BestModel.fileName(side))", rows: model.tables[table].rows,
        columns: model.tables[table].width)
    }
  }

  /// In the names of all incomplete files, also those of `NPYWriter`.
  private static let partialSuffix = ".partial"

  /// Removes incomplete files of a process that was killed. They may be as large as a model.
  private static func removeParts(in folder: String) {
    let files = FileManager.default
    for name in (try? files.contentsOfDirectory(atPath: folder)) ?? []
    where name.contains(partialSuffix) {
      try? files.removeItem(atPath: "\(folder)/\(name)")
    }
  }

  /// The tables that training changes, in order.
  private static func parameterTables(_ model: TrainingModel) -> [Int] {
    model.tables.indices.filter { model.tables[$0].rule != .assigned }
  }

  /// The task that reads the rows from the servers into the files.
  package func reading(routing: TableRouting, generation: UInt64) -> ReadTablesWork {
    // Parameters come first, in the order of their file.
    ReadTablesWork(
      routing: routing,
      tables: Self.parameterTables(model)
        + model.savedTables.filter { model.tables[$0].rule == .assigned },
      version: version, generation: generation
    ) { [self] table, _, rows in
      let values = UnsafeBufferPointer(rows.elements)
      if model.tables[table].rule != .assigned { try parameters.append(values) }
      if let final = finals[table] {
        try final.append(rows.pointer, count: rows.rows)
      }
    }
  }

  /// Completes the files, makes them the run's best, and deletes the earlier ones. Each step is on
  /// disk before the next begins, so that a power loss at any moment leaves a complete best model.
  ///
  /// - Parameter completed: called after each file.
  package func finish(completed: () -> Void = {}) throws {
    let path = "\(run)/\(folder)"
    var files: [BestModel.File] = []
    do {
      files.append(BestModel.File(BestModel.parametersName, try parameters.finish()))
      completed()
      for side in Side.allCases {
        try finals[model.finalTable(side)]?.finish()
        // NPYWriter computes no digest while it writes.
        let name = BestModel.fileName(side)
        files.append(BestModel.File(name, try FileContent(of: "\(path)/\(name)")))
        completed()
      }
    } catch {
      Self.removeParts(in: path)
      throw error
    }
    // Includes folders that an earlier process created and did not synchronize before it died.
    for folder in [path, "\(run)/\(BestModel.parentFolder)", run] {
      try DurableFile.synchronizeFolder(folder)
    }
    let best = BestModel(
      epoch: epoch, version: version, folder: folder, files: files, identifiers: identifiers)
    try DurableFile.write(
      try ResultJSON.encode(best, isPretty: true), to: BestModel.path(run))
    removeOthers()
  }

  /// Removes all other models. One that cannot be removed only costs space.
  private func removeOthers() {
    let files = FileManager.default
    let parent = "\(run)/\(BestModel.parentFolder)"
    for name in (try? files.contentsOfDirectory(atPath: parent)) ?? []
    where BestModel.isFolder(name) && "\(BestModel.parentFolder)/\(name)" != folder {
      try? files.removeItem(atPath: "\(parent)/\(name)")
    }
  }
}
