import Files

/// The first line of an interaction file: the positions of the columns that are used.
///
/// Two dialects are read: MMRec's bare names (`userID`) and RecBole's `name:type`
/// (`user_id:token`). Other columns are ignored.
struct InteractionHeader: Equatable {
  /// What the reader does with a column.
  enum Role: UInt8 {
    case user
    case item
    case label
    case rating
    case time
    case ignored
  }

  /// What the interactions are read for.
  enum Purpose {
    /// Ratings and times are not read, and there must be a split.
    case training
    /// A split is made, so there may be none.
    case preparation
  }

  /// One role per column.
  let roles: [Role]
  /// The columns that the file has, whether they are read or not.
  let columns: InteractionFileWriter.Columns

  static let names: [(role: Role, accepted: [String])] = [
    (.user, ["userID", "user_id"]), (.item, ["itemID", "item_id"]), (.label, ["x_label"]),
    (.rating, ["rating"]), (.time, ["timestamp"]),
  ]

  /// The roles of columns that are read, and of those which there must be.
  private static func roles(for purpose: Purpose) -> (read: Set<Role>, needed: Set<Role>) {
    switch purpose {
    case .training: ([.user, .item, .label], [.user, .item, .label])
    case .preparation: ([.user, .item, .label, .rating, .time], [.user, .item])
    }
  }

  static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// - Parameter line: the first line without its line feed.
  static func parse(
    _ line: [UInt8], path: String, purpose: Purpose
  ) throws(DatasetError) -> InteractionHeader {
    var bytes = line[...]
    if bytes.starts(with: byteOrderMark) { bytes = bytes.dropFirst(byteOrderMark.count) }
    if bytes.last == UInt8(ascii: "\r") { bytes = bytes.dropLast() }
    let columns = bytes.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
      .map { column in
        let name = column.prefix { $0 != UInt8(ascii: ":") }
        return String(decoding: name, as: UTF8.self)
      }
    let (read, needed) = roles(for: purpose)
    let roles = columns.map { column in
      names.first { read.contains($0.role) && $0.accepted.contains(column) }?.role ?? .ignored
    }
    for (role, accepted) in names where read.contains(role) {
      let count = roles.count { $0 == role }
      if count == 0 && !needed.contains(role) { continue }
      guard count > 0 else {
        throw DatasetError(
          .malformed, path: path, line: 1,
          missing(role, accepted: accepted, columns: columns, path: path))
      }
      guard count == 1 else {
        throw DatasetError(
          .malformed, path: path, line: 1,
          "has \(count) columns called \(accepted.joined(separator: " or ")); keep one of them")
      }
    }
    var found: InteractionFileWriter.Columns = []
    for (role, accepted) in names where columns.contains(where: accepted.contains) {
      switch role {
      case .rating: found.insert(.ratings)
      case .time: found.insert(.times)
      case .label: found.insert(.labels)
      default: break
      }
    }
    return InteractionHeader(roles: roles, columns: found)
  }

  private static func missing(
    _ role: Role, accepted: [String], columns: [String], path: String
  ) -> String {
    if columns.count == 1, let separator = [",", ";", " "].first(where: columns[0].contains) {
      return "is one column with '\(separator)' in it, but columns are separated by tabs: "
        + "replace each '\(separator)' by a tab, or make a data set from the file with: mrdib data "
        + "import FILE --out FOLDER"
    }
    if role == .label {
      return
        "is not split yet: it has no column x_label, which says for each row whether it is for "
        + "training (0), validation (1) or test (2); split it with: mrdib data split "
        + "\(FilePath.parent(of: path).sanitized(atMost: 200)) --out OTHER"
    }
    let shown = columns.prefix(8).map { "'\($0.sanitized(atMost: 24))'" }.joined(separator: ", ")
    return "has no column \(accepted.joined(separator: " or ")) among \(shown); the header should "
      + "be: userID itemID rating timestamp x_label, separated by tabs"
  }
}
