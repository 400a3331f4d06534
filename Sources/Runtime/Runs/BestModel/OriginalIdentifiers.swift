import Datasets
import Files
import Foundation

/// The ids that users and items are shown and asked for by.
package enum IdentifierStyle: String, Sendable, CaseIterable {
  /// Those of the data set's source, where its folder has tables of them.
  case original
  /// Row numbers from 0.
  case dense
}

/// The original ids of a data set's users and items, as far as its folder has them.
package struct OriginalIdentifiers: Sendable {
  /// Nil if the folder has no table of users.
  package let users: IdentifierTable?
  /// Nil if the folder has no table of items.
  package let items: IdentifierTable?

  package static let empty = OriginalIdentifiers(users: nil, items: nil)

  private init(users: IdentifierTable?, items: IdentifierTable?) {
    self.users = users
    self.items = items
  }

  /// Reads the tables of a folder.
  ///
  /// - Parameter recorded: the digests of the tables when the model was trained; nil if the run has
  ///   none.
  /// - Throws: `DatasetError` when a table is damaged; ``RuntimeError`` when it has another number
  ///   of rows than the data set, or other ids than the model was trained with.
  package init(of data: TrainedData, trainedWith recorded: IdentifierDigests?) throws {
    users = try Self.table(
      .users, in: data.folder, rows: data.dataset.userCount, recorded: recorded)
    items = try Self.table(
      .items, in: data.folder, rows: data.dataset.itemCount, recorded: recorded)
  }

  /// Whether a folder has a table of users or items.
  package static func exist(in folder: String) -> Bool {
    IdentifierTable.Kind.allCases.contains { path(of: $0, in: folder) != nil }
  }

  static func path(of kind: IdentifierTable.Kind, in folder: String) -> String? {
    guard let description = try? DatasetDescription.read(folder: folder) else { return nil }
    let file = kind == .users ? description.usersFile : description.itemsFile
    return file.map(description.path)
  }

  /// The original id of a folder's first user, as an example; nil if the folder has no ids.
  package static func firstUser(of folder: String) -> String? {
    guard let path = path(of: .users, in: folder),
      let table = try? IdentifierTable(path: path, kind: .users), table.count > 0
    else { return nil }
    return table.id(of: 0)
  }

  private static func table(
    _ kind: IdentifierTable.Kind, in folder: String, rows: Int, recorded: IdentifierDigests?
  ) throws -> IdentifierTable? {
    guard let path = path(of: kind, in: folder) else { return nil }
    let table = try IdentifierTable(path: path, kind: kind)
    guard table.count == rows else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message:
          "Cannot use the ids in '\(path)': it has \(table.count) rows, but the data set has "
          + "\(rows) \(kind). Make the folder again, or use --ids dense.")
    }
    if let before = recorded?[kind], before != IdentifierDigests.digest(of: table) {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message:
          "Cannot use the ids in '\(path)': they have changed since the model was trained, so that "
          + "rows would get the ids of others. Put the file of that time back, or use --ids dense.")
    }
    return table
  }

  /// The row of a user.
  ///
  /// - Parameters:
  ///   - count: how many users there are.
  ///   - place: where the id was written, such as ` (line 3 of 'ids')`; empty for an option.
  /// - Throws: ``RuntimeError`` with how ids look for one that does not exist.
  package func user(_ id: String, of count: Int, place: String) throws -> Int {
    guard let users else {
      if let row = Int(id), row >= 0, row < count { return row }
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot recommend to user \(id.sanitized())\(place): the model has no such user. "
          + "Ids count from 0 to \(count - 1).")
    }
    if let row = users.dense(of: id) { return row }
    throw RuntimeError(
      exitCode: .usage,
      message: "Cannot recommend to user '\(id.sanitized())'\(place): '\(users.path)' has no such "
        + "id. \(advice(for: id, users))")
  }

  /// Looking for a similar id in more rows than this would take seconds.
  private static let mostCandidates = 50_000

  private func advice(for id: String, _ table: IdentifierTable) -> String {
    if table.count <= Self.mostCandidates,
      let nearest = NearestName.find(id, among: (0..<table.count).lazy.map(table.id(of:)))
    {
      return "Did you mean '\(nearest.sanitized())'?"
    }
    let examples = Set([0, table.count / 2, table.count - 1]).sorted().map {
      "'\(table.id(of: $0).sanitized())'"
    }
    return "Ids look like \(examples.joined(separator: ", ")); row numbers need --ids dense."
  }
}
