import Datasets
import Tensors

/// Digests of the original ids that a data set's folder had for the rows of a model, so that
/// `recommend` and `export` notice tables whose rows mean something else now. Titles do not count:
/// they may be corrected.
package struct IdentifierDigests: Sendable, Codable, Equatable {
  /// Nil if the folder had no readable table of users.
  package let users: String?
  /// Nil if the folder had no readable table of items.
  package let items: String?

  init(users: String?, items: String?) {
    self.users = users
    self.items = items
  }

  /// The digests of a folder's tables. A table that cannot be read has none: training does not
  /// depend on it.
  init(folder: String) {
    func digest(_ kind: IdentifierTable.Kind) -> String? {
      guard let path = OriginalIdentifiers.path(of: kind, in: folder),
        let table = try? IdentifierTable(path: path, kind: kind)
      else { return nil }
      return Self.digest(of: table)
    }
    self.init(users: digest(.users), items: digest(.items))
  }

  subscript(kind: IdentifierTable.Kind) -> String? {
    switch kind {
    case .users: users
    case .items: items
    }
  }

  /// The digest of a table's ids, in the order of their rows.
  ///
  /// - Parameter rows: how many, from the first; nil: all.
  static func digest(of table: IdentifierTable, rows: Int? = nil) -> String {
    var digest = ContentDigest()
    for row in 0..<(rows ?? table.count) { digest.combine(table.idBytes(of: row)) }
    return digest.text
  }
}
