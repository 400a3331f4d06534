import Files

/// Reads the lines of a table of ids (``IdentifierTable``).
struct IdentifierLines {
  /// Where the rows are.
  struct Rows {
    /// Where the line of each dense id begins.
    let starts: [Int]
    /// The line of each dense id; nil if dense id n is in line n + 2.
    let lines: [Int32]?

    func line(of dense: Int) -> Int { lines.map { Int($0[dense]) } ?? dense + 2 }
  }

  /// More columns than this are counted, but not kept: a damaged file may be one line of tabs.
  private static let mostColumns = 64

  private static let tab = UInt8(ascii: "\t")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  let bytes: UnsafeRawBufferPointer
  let path: String
  let kind: IdentifierTable.Kind
  private var position = 0
  /// The line that begins at `position`, from 1.
  private var line = 1

  init(bytes: UnsafeRawBufferPointer, path: String, kind: IdentifierTable.Kind) {
    self.bytes = bytes
    self.path = path
    self.kind = kind
  }

  /// Reads the first line.
  mutating func header() throws(DatasetError) -> (
    IdentifierTable.Layout, [IdentifierTable.ItemColumn]
  ) {
    if bytes.starts(with: InteractionHeader.byteOrderMark) {
      position = InteractionHeader.byteOrderMark.count
    }
    let (dense, id) = kind.columns
    let first = fields(from: position)
    let names = first.fields.map { String(decoding: bytes[$0], as: UTF8.self) }
    let denseColumns = names.indices.filter { dense.contains(names[$0]) }
    let idColumns = names.indices.filter { id.contains(names[$0]) }
    guard denseColumns.count == 1, idColumns.count == 1, first.count == names.count else {
      let kindOfFile = ContentKind.sentence(bytes).map { ": \($0)" } ?? ""
      throw problem(
        "should begin with the header '\(dense[0])' and '\(id[0])', separated by a tab: a table of "
          + "\(kind.word) ids has one row per \(kind.word)\(kindOfFile)")
    }
    var columns: [IdentifierTable.ItemColumn] = []
    var others: [Int] = []
    if kind == .items {
      for (index, name) in names.enumerated() {
        guard let column = IdentifierTable.ItemColumn(rawValue: name) else { continue }
        guard !columns.contains(column) else {
          throw problem("has two columns called \(name); keep one of them")
        }
        columns.append(column)
        others.append(index)
      }
    }
    advance(to: first.next)
    let layout = IdentifierTable.Layout(
      count: names.count, dense: denseColumns[0], id: idColumns[0], others: others,
      isOrdered: names[idColumns[0]] == id[0])
    return (layout, columns)
  }

  /// Reads all other lines.
  mutating func rows(_ layout: IdentifierTable.Layout) throws(DatasetError) -> Rows {
    var found: [(dense: Int32, start: Int)] = []
    while position < bytes.count {
      let (fields, count, next) = fields(from: position)
      if count == 1, fields[0].isEmpty, isBlank(from: position) { break }
      guard count == layout.count else {
        throw problem(
          "has \(count) columns, but the header has \(layout.count) (separated by tabs)")
      }
      let dense = try denseID(fields[layout.dense])
      guard !layout.isOrdered || Int(dense) == found.count else {
        throw problem(
          "has the dense id \(dense), but the rows are numbered 0, 1, 2, …: \(found.count) belongs "
            + "here")
      }
      try checkID(fields[layout.id])
      guard found.count < Int(InteractionFile.largestID) else {
        throw problem("is more than the \(InteractionFile.largestID) rows that can be read")
      }
      found.append((dense, position))
      advance(to: next)
    }
    guard !found.isEmpty else { throw problem("has a header but no ids") }
    guard !layout.isOrdered else {
      return Rows(starts: found.map(\.start), lines: nil)
    }
    return try sorted(found)
  }

  /// Puts rows of any order into the order of dense ids.
  private func sorted(
    _ found: [(dense: Int32, start: Int)]
  ) throws(DatasetError) -> Rows {
    var starts = [Int](repeating: -1, count: found.count)
    var lines = [Int32](repeating: 0, count: found.count)
    for (row, entry) in found.enumerated() {
      let dense = Int(entry.dense)
      guard dense < found.count else {
        throw problem(
          line: row + 2,
          "has the dense id \(dense), but there are \(found.count) rows: dense ids are 0 to "
            + "\(found.count - 1)")
      }
      guard starts[dense] < 0 else {
        throw problem(line: row + 2, "repeats the dense id \(dense) of line \(lines[dense])")
      }
      starts[dense] = entry.start
      lines[dense] = Int32(truncatingIfNeeded: row + 2)
    }
    return Rows(starts: starts, lines: lines)
  }

  private func denseID(_ field: Range<Int>) throws(DatasetError) -> Int32 {
    let digits = bytes[field]
    let isNumber = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 }
    guard isNumber, (1...10).contains(field.count),
      let id = Int32(String(decoding: digits, as: UTF8.self)), id <= InteractionFile.largestID
    else {
      let shown = String(decoding: digits.prefix(64), as: UTF8.self).sanitized(atMost: 32)
      throw problem("has the dense id '\(shown)', which is not a whole number from 0")
    }
    return id
  }

  private func checkID(_ field: Range<Int>) throws(DatasetError) {
    guard !field.isEmpty else { throw problem("has an empty \(kind.word) id") }
    let id = bytes[field]
    guard !id.contains(0) else { throw problem("has a NUL byte in its \(kind.word) id") }
    guard id.allSatisfy({ $0 < 0x80 }) || String(validating: id, as: UTF8.self) != nil else {
      throw problem("has a \(kind.word) id that is not UTF-8 text; save the file as UTF-8")
    }
  }

  /// The columns of the line that begins at `start`, their number, and where the next line begins.
  private func fields(from start: Int) -> (fields: [Range<Int>], count: Int, next: Int) {
    var fields: [Range<Int>] = []
    var count = 0
    var first = start
    while true {
      let end = Self.fieldEnd(from: first, in: bytes)
      if count < Self.mostColumns { fields.append(first..<end) }
      count += 1
      if end < bytes.count, bytes[end] == Self.tab {
        first = end + 1
        continue
      }
      var next = end
      if next < bytes.count, bytes[next] == Self.carriageReturn { next += 1 }
      if next < bytes.count { next += 1 }
      return (fields, count, next)
    }
  }

  /// The end of the column that begins at `start`: a tab, a line end or the end of the file. A
  /// carriage return belongs to the line end only if a line feed or the end of the file follows.
  static func fieldEnd(from start: Int, in bytes: UnsafeRawBufferPointer) -> Int {
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      if byte == tab || byte == lineFeed { return index }
      if byte == carriageReturn, index + 1 == bytes.count || bytes[index + 1] == lineFeed {
        return index
      }
      index += 1
    }
    return bytes.count
  }

  /// Whether nothing but line ends is left.
  private func isBlank(from start: Int) -> Bool {
    bytes[start...].allSatisfy { $0 == Self.lineFeed || $0 == Self.carriageReturn }
  }

  private mutating func advance(to next: Int) {
    position = next
    line += 1
  }

  private func problem(line: Int? = nil, _ message: String) -> DatasetError {
    DatasetError(.malformed, path: path, line: line ?? self.line, message)
  }
}
