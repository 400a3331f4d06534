import Files

/// Reads `.inter` files: a header, then one interaction per line, columns separated by tabs.
///
/// The bytes are read once, over a memory map, into 9 bytes per interaction; no row becomes a
/// string.
public enum InteractionFile {
  /// The largest id; table rows are numbered with 32 bits, and `id + 1` must fit as well.
  public static let largestID = Int32.max - 1

  /// - Throws: ``DatasetError`` with the file, the line and the reason.
  public static func read(_ path: String) throws(DatasetError) -> Interactions {
    var log = ProblemLog(limit: 1)
    return try read(path, log: &log)
  }

  /// Reads what can be read; a line that cannot is reported and left out.
  static func read(_ path: String, log: inout ProblemLog) throws(DatasetError) -> Interactions {
    let file = try MappedFile(path: path)
    let bytes = file.bytes
    guard !bytes.isEmpty else {
      throw DatasetError(
        .malformed, path: path,
        "is empty; it should begin with the header userID itemID rating timestamp x_label")
    }
    if let zero = bytes.firstIndex(of: 0) {
      let line = bytes[..<zero].count { $0 == UInt8(ascii: "\n") } + 1
      try refuseOtherKinds(bytes, path: path)
      throw DatasetError(
        .malformed, path: path, line: line,
        "holds a NUL byte: this is not a text file (UTF-16?) or it is damaged; save it as UTF-8")
    }
    let headerEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    try checkLineEnds(bytes[..<headerEnd], path: path)
    let header: InteractionHeader
    do {
      header = try InteractionHeader.parse(Array(bytes[..<headerEnd]), path: path)
    } catch {
      try refuseOtherKinds(bytes, path: path)
      throw error
    }
    let body = UnsafeRawBufferPointer(rebasing: bytes[min(headerEnd + 1, bytes.count)...])
    return try readRows(body, header: header, path: path, log: &log)
  }

  /// - Throws: ``DatasetError`` if the file is known to be of another kind.
  private static func refuseOtherKinds(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(DatasetError) {
    guard let kind = ContentKind.sentence(bytes) else { return }
    throw DatasetError(.malformed, path: path, "is not an interaction file: \(kind)")
  }

  /// - Parameter firstLine: up to the first line feed.
  /// - Throws: ``DatasetError`` if lines end with carriage returns alone.
  private static func checkLineEnds(
    _ firstLine: Slice<UnsafeRawBufferPointer>, path: String
  ) throws(DatasetError) {
    guard let end = firstLine.firstIndex(of: UInt8(ascii: "\r")), end + 1 < firstLine.endIndex
    else {
      return
    }
    throw DatasetError(
      .malformed, path: path, line: 1,
      "ends with a carriage return alone, as on old Macs, so the whole file is one line: save it "
        + "with line feeds, for instance: tr '\\r' '\\n' < OLD > NEW")
  }

  private static func readRows(
    _ body: UnsafeRawBufferPointer, header: InteractionHeader, path: String, log: inout ProblemLog
  ) throws(DatasetError) -> Interactions {
    // Count the lines first: growing the arrays would double the memory for the largest files.
    let lineCount = body.count { $0 == UInt8(ascii: "\n") } + 1
    guard lineCount <= Int(Int32.max) else {
      throw DatasetError(
        .malformed, path: path,
        "has \(lineCount) lines, more than the \(Int32.max) that can be read")
    }
    var users: [Int32] = []
    var items: [Int32] = []
    var labels: [SplitLabel] = []
    users.reserveCapacity(lineCount)
    items.reserveCapacity(lineCount)
    labels.reserveCapacity(lineCount)
    var lines = LineNumbers()
    var scanner = InteractionLineScanner(bytes: body, roles: header.roles)
    while !scanner.isAtEnd {
      let start = scanner.position
      if let row = scanner.next() {
        users.append(row.user)
        items.append(row.item)
        labels.append(row.label)
        continue
      }
      let number = users.count + lines.skipped.count + 2
      lines.skipped.append(number)
      let problem = InteractionDiagnosis.explain(
        UnsafeRawBufferPointer(rebasing: body[start..<scanner.position]), roles: header.roles)
      try log.report(DatasetError(.malformed, path: path, line: number, problem))
    }
    guard !users.isEmpty || !lines.skipped.isEmpty else {
      throw DatasetError(
        .malformed, path: path, "has a header but no interactions; was it exported completely?")
    }
    return Interactions(source: path, users: users, items: items, labels: labels, lines: lines)
  }
}

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
    let shown = columns.prefix(8).map { "'\($0.sanitized(atMost: 24))'" }.joined(separator: ", ")
    return "has no column \(accepted.joined(separator: " or ")) among \(shown); the header should "
      + "be: userID itemID rating timestamp x_label, separated by tabs"
  }
}
