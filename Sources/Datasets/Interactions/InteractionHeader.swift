internal import ForeignText

/// The first line of an interaction file: where the columns stand that are used.
///
/// Two dialects are read: MMRec's bare names (`userID`) and RecBole's `name:type`
/// (`user_id:token`). Other columns are ignored.
struct InteractionHeader: Equatable {
  /// What the reader does with a column.
  enum Role: UInt8 {
    case user
    case item
    case label
    case ignored
  }

  /// One role per column.
  let roles: [Role]

  static let names: [(role: Role, accepted: [String])] = [
    (.user, ["userID", "user_id"]), (.item, ["itemID", "item_id"]), (.label, ["x_label"]),
  ]

  static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// - Parameter line: the first line without its line feed.
  static func parse(_ line: [UInt8], path: String) throws(DatasetError) -> InteractionHeader {
    var bytes = line[...]
    if bytes.starts(with: byteOrderMark) { bytes = bytes.dropFirst(byteOrderMark.count) }
    if bytes.last == UInt8(ascii: "\r") { bytes = bytes.dropLast() }
    let columns = bytes.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
      .map { column in
        let name = column.prefix { $0 != UInt8(ascii: ":") }
        return String(decoding: name, as: UTF8.self)
      }
    let roles = columns.map { column in
      names.first { $0.accepted.contains(column) }?.role ?? .ignored
    }
    for (role, accepted) in names {
      let count = roles.count { $0 == role }
      guard count > 0 else {
        throw DatasetError(
          .malformed, path: path, line: 1, missing(role, accepted: accepted, columns: columns))
      }
      guard count == 1 else {
        throw DatasetError(
          .malformed, path: path, line: 1,
          "has \(count) columns called \(accepted.joined(separator: " or ")); keep one of them")
      }
    }
    return InteractionHeader(roles: roles)
  }

  private static func missing(_ role: Role, accepted: [String], columns: [String]) -> String {
    if columns.count == 1, let separator = [",", ";", " "].first(where: columns[0].contains) {
      return "is one column with '\(separator)' in it, but columns are separated by tabs: "
        + "replace each '\(separator)' by a tab"
    }
    if role == .label {
      return "has no column x_label, which says for each row whether it is for training (0), "
        + "validation (1) or test (2); to make a split, add the column and mark at random, "
        + "for each user, about 80 % of the rows 0, 10 % 1 and 10 % 2"
    }
    let shown = columns.prefix(8).map { "'\($0.shown(atMost: 24))'" }.joined(separator: ", ")
    return "has no column \(accepted.joined(separator: " or ")) among \(shown); the header should "
      + "be: userID itemID rating timestamp x_label, separated by tabs"
  }
}
