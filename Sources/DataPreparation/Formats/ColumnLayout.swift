import Datasets
import Files

/// Which columns the user names: by their names, or by their numbers from 1; `none` leaves one out.
package struct ColumnChoice: Sendable {
  package var names: [ColumnRole: String]

  package init(names: [ColumnRole: String] = [:]) { self.names = names }

  /// The word that leaves out a column that would be taken otherwise.
  static let none = "none"
  /// The word that takes the order of the rows as their time.
  static let order = "order"

  subscript(role: ColumnRole) -> String? { names[role] }

  /// Whether the choice for a role names no column.
  func isWord(_ role: ColumnRole) -> Bool {
    names[role] == Self.none || (role == .time && names[role] == Self.order)
  }
}

/// Where the columns are that an import uses.
struct ColumnLayout: Equatable {
  /// Positions from 0.
  private(set) var positions: [ColumnRole: Int] = [:]
  /// How many fields a row has.
  let count: Int
  /// What was taken for what, and what was not taken, for the user.
  private(set) var notices: [String] = []

  /// For a source with names: the header of a file or the keys of an object.
  ///
  /// - Parameters:
  ///   - row: the first row; empty where it has nothing, or if there is none.
  ///   - place: `column` or `key`, for messages.
  init(
    names: [String], row: [String], choice: ColumnChoice, path: String, place: String = "column"
  ) throws(DatasetError) {
    count = names.count
    for role in ColumnRole.allCases {
      guard let position = try Self.position(of: role, names, choice, path: path, place: place)
      else { continue }
      if let other = positions.first(where: { $0.value == position })?.key {
        throw DatasetError(
          .configuration, path: path,
          "has one \(place) '\(names[position].sanitized(atMost: 40))' for both the \(other.words) "
            + "and the \(role.words): name another with --user-column, --item-column, "
            + "--rating-column or --time-column")
      }
      positions[role] = position
    }
    let taken = ColumnRole.allCases.compactMap { role in
      positions[role].map { "'\(names[$0].sanitized(atMost: 40))' as the \(role.words)" }
    }
    let timed = guessTime(names, row, choice)
    notices = ["took \((taken + timed).joined(separator: ", "))"]
    let unused = names.indices.filter { !positions.values.contains($0) }
    guard !unused.isEmpty else { return }
    let listed = unused.prefix(Self.shownNames).map { position in
      let name = names[position].sanitized(atMost: 40)
      let isTime = positions[.time] == nil && position < row.count && Value(row[position]) == .time
      return isTime
        ? "'\(name)' (looks like times: --time-column \(name))" : "'\(name)'"
    }
    notices.append(
      "not used: \(listed.joined(separator: ", "))"
        + (unused.count > listed.count ? " and \(unused.count - listed.count) more" : ""))
  }

  /// How many names of columns that are not used are listed.
  static let shownNames = 20

  /// Takes a column as the time whose name says so, such as `purchased_at`, if its first value is a
  /// time and no other column is like that.
  ///
  /// - Returns: what was taken, for the user.
  private mutating func guessTime(
    _ names: [String], _ row: [String], _ choice: ColumnChoice
  ) -> [String] {
    guard positions[.time] == nil, choice[.time] == nil else { return [] }
    let candidates = names.indices.filter { index in
      index < row.count && !positions.values.contains(index)
        && ColumnNames.isTimeLike(names[index]) && Value(row[index]) == .time
    }
    guard candidates.count == 1, let only = candidates.first else { return [] }
    positions[.time] = only
    return ["'\(names[only].sanitized(atMost: 40))', by its name and first value, as the timestamp"]
  }

  /// For a file without a header.
  ///
  /// - Parameters:
  ///   - row: the fields of the first row.
  ///   - order: the order that the format decides, if it does.
  init(
    row: [String], order: [ColumnRole]?, choice: ColumnChoice, path: String
  ) throws(DatasetError) {
    count = row.count
    var usual: [ColumnRole: Int] = [:]
    for (index, role) in (order ?? Self.usualOrder(row)).enumerated() where index < row.count {
      usual[role] = index
    }
    // Named columns are not taken for something else.
    for role in ColumnRole.allCases {
      guard let name = choice[role], !choice.isWord(role) else { continue }
      guard let number = Int(name), (1...row.count).contains(number) else {
        throw DatasetError(
          .configuration, path: path,
          "has no header with names and \(row.count) columns, so the \(role.words) cannot be "
            + "'\(name.sanitized(atMost: 40))': give a number from 1 to \(row.count)")
      }
      positions[role] = number - 1
    }
    for role in ColumnRole.allCases where choice[role] == nil {
      guard let index = usual[role], !positions.values.contains(index) else { continue }
      positions[role] = index
    }
    for role in [ColumnRole.user, .item] where positions[role] == nil {
      throw DatasetError(
        .configuration, path: path,
        "has no header, and it is not clear which of its \(row.count) columns is the "
          + "\(role.words): give its number from 1 with --\(role.words)-column")
    }
    if Set(positions.values).count < positions.count {
      throw DatasetError(
        .configuration, path: path, "cannot have one column for two purposes: give other numbers")
    }
    let taken = ColumnRole.allCases.compactMap { role in
      positions[role].map { "column \($0 + 1) as the \(role.words)" }
    }
    notices = ["no header: took \(taken.joined(separator: ", "))"]
    let unused = row.indices.filter { !positions.values.contains($0) }.prefix(Self.shownNames)
    if !unused.isEmpty {
      let listed = unused.map { "\($0 + 1)" }.joined(separator: ", ")
      notices.append("not used: \(unused.count == 1 ? "column" : "columns") \(listed)")
    }
  }

  private static func position(
    of role: ColumnRole, _ names: [String], _ choice: ColumnChoice, path: String, place: String
  ) throws(DatasetError) -> Int? {
    let listed = names.prefix(12).map { "'\($0.sanitized(atMost: 24))'" }.joined(separator: ", ")
    if let chosen = choice[role] {
      if choice.isWord(role), chosen == ColumnChoice.none || !names.contains(chosen) { return nil }
      let found = names.indices.filter { names[$0] == chosen }
      if found.count > 1 {
        throw DatasetError(
          .configuration, path: path,
          "has \(found.count) columns called '\(chosen.sanitized(atMost: 40))': give the number of "
            + "the right one, such as --\(role.option)-column \(found[0] + 1)")
      }
      if let only = found.first { return only }
      if place == "column", let number = Int(chosen), (1...names.count).contains(number) {
        return number - 1
      }
      let same = names.indices.filter {
        ColumnNames.plain(names[$0]) == ColumnNames.plain(chosen)
      }
      if same.count == 1 { return same[0] }
      let hint =
        NearestName.find(chosen, among: names)
        .map { "; did you mean '\($0.sanitized(atMost: 40))'?" } ?? ""
      throw DatasetError(
        .configuration, path: path,
        "has no \(place) '\(chosen.sanitized(atMost: 40))' among \(listed)\(hint)")
    }
    if let guessed = ColumnNames.find(ColumnNames.usual(role), among: names) {
      let twins = names.indices.filter { names[$0] == names[guessed] }
      if twins.count > 1 {
        throw DatasetError(
          .configuration, path: path,
          "has \(twins.count) columns called '\(names[guessed].sanitized(atMost: 40))': give the "
            + "number of the right one, such as --\(role.option)-column \(twins[0] + 1)")
      }
      return guessed
    }
    guard role == .user || role == .item else { return nil }
    throw DatasetError(
      .configuration, path: path,
      "has no \(place) that is known as the \(role.words) among \(listed): name it with "
        + "--\(role.option)-column NAME"
        + (place == "column" ? ", or say --no-header if these are data" : ""))
  }

  /// Whether the first record of a file holds names rather than data.
  static func isHeader(_ fields: [String], choice: ColumnChoice) -> Bool {
    let isNamed = choice.names.contains { role, name in
      Int(name) == nil && (!choice.isWord(role) || fields.contains(name))
    }
    if isNamed { return true }
    // One letter may be an id as well.
    let names = fields.filter { $0.utf8.count > 1 }
    let isKnown = [ColumnRole.user, .item].contains {
      ColumnNames.find(ColumnNames.usual($0), among: names) != nil
    }
    return isKnown || !fields.contains { Value($0) != .text }
  }

  /// The order of columns of files without a header: user, item, rating, time; Amazon's of 2018
  /// begin with the item, which its ids show.
  private static func usualOrder(_ row: [String]) -> [ColumnRole] {
    var order: [ColumnRole] =
      row.count >= 4 && isASIN(row[0]) && isReviewer(row[1]) ? [.item, .user] : [.user, .item]
    if row.count > 2 {
      switch Value(row[2]) {
      case .time: order.append(.time)
      case .number:
        order.append(.rating)
        if row.count > 3, Value(row[3]) == .time { order.append(.time) }
      case .text: break
      }
    }
    return order
  }

  /// What a field may be.
  private enum Value {
    case number
    case time
    case text

    init(_ field: String) {
      var field = field
      self = field.withUTF8 { bytes in
        let bytes = NumberText.trimmed(UnsafeRawBufferPointer(bytes))
        guard let time = TimeText.parse(bytes) else {
          return NumberText.finite(bytes) == nil ? .text : .number
        }
        // 100 million seconds are in March 1973.
        return time.unit != .seconds || time.seconds >= 100_000_000 ? .time : .number
      }
    }
  }

  /// Amazon's id of an item: ten digits and capitals.
  private static func isASIN(_ text: String) -> Bool {
    text.utf8.count == 10 && text.utf8.allSatisfy { isCapitalOrDigit($0) }
  }

  /// Amazon's id of a reviewer: `A` and more than ten digits and capitals.
  private static func isReviewer(_ text: String) -> Bool {
    text.utf8.count > 10 && text.hasPrefix("A") && text.utf8.allSatisfy { isCapitalOrDigit($0) }
  }

  private static func isCapitalOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

extension ColumnRole {
  /// The beginning of the option that names the column.
  var option: String { self == .time ? "time" : words }
}
