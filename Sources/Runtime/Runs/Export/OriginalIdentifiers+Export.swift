import Datasets
import Foundation

extension OriginalIdentifiers {
  /// Writes the tables, `users.tsv` and `items.tsv`: line n + 2 belongs to row n.
  func write(to folder: String) throws {
    for table in [users, items].compactMap({ $0 }) {
      let writer = try IdentifierTableWriter(
        folder: folder, kind: table.kind, columns: table.columns)
      for row in 0..<table.count {
        try writer.append(
          id: table.idBytes(of: row), values: table.columns.map { table.value($0, of: row) ?? "" })
      }
      try writer.finish()
    }
  }

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
