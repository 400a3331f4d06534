import Datasets
import Files

/// The rows of lines that list the items of a user.
///
/// MicroLens has a tab after the user, LightGCN and S³-Rec a blank, SELFRec a colon; items have
/// blanks between them.
final class PairRows: RowReader {
  /// How a line begins.
  enum Start {
    /// With the user.
    case user
    /// With the number of the items, as CiteULike's: the position of the line, from 0, is the user.
    case count
  }

  let roles: Set<ColumnRole> = [.user, .item]
  var lineNumber: Int { lines.lineNumber }
  private let lines: LineReader
  private let start: Start
  private var user = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The items of the line that are not read yet.
  private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
  /// How many users of ``Start/count`` are read, and the last one's number as text.
  private var userCount = 0
  private let digits = UnsafeMutableRawBufferPointer.allocate(byteCount: 24, alignment: 1)

  init(_ lines: LineReader, start: Start = .user) {
    self.lines = lines
    self.start = start
  }

  deinit { digits.deallocate() }

  func next(_ row: inout SourceRow) throws(DatasetError) -> RowStep {
    rest = rest.withoutLeadingBlanks
    while rest.isEmpty {
      guard let line = try lines.next() else { return .end }
      guard !line.isEmpty else { continue }
      let parts = ListLine(UnsafeRawBufferPointer(line))
      rest = parts.items.withoutLeadingBlanks
      switch start {
      case .user:
        user = parts.first
        // LightGCN's lists of test items have users without any.
        if rest.isEmpty, parts.separator == .tab { return .damaged(.empty(.item)) }
      case .count:
        numberUser()
        let found = ListLine.items(in: rest)
        guard ListLine.number(parts.first) == found else {
          rest = UnsafeRawBufferPointer(start: nil, count: 0)
          return .damaged(
            .other(
              "has \(found) items, but begins with "
                + "'\(String(decoding: parts.first, as: UTF8.self).sanitized(atMost: 32))'"))
        }
      }
    }
    let end = rest.firstIndex(of: UInt8(ascii: " ")) ?? rest.count
    row.user = user
    row.item = UnsafeRawBufferPointer(rebasing: rest[..<end])
    rest = UnsafeRawBufferPointer(rebasing: rest[end...])
    return .row
  }

  /// Makes the position of the line the user.
  private func numberUser() {
    let text = "\(userCount)".utf8
    userCount += 1
    digits.copyBytes(from: text)
    user = UnsafeRawBufferPointer(rebasing: digits[..<text.count])
  }
}
