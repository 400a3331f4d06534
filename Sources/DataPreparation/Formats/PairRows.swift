import Datasets
import Files

/// The rows of a file in which each line has a user and, behind a tab, the user's items in the
/// order of time, with blanks between them.
final class PairRows: RowReader {
  let roles: Set<ColumnRole> = [.user, .item]
  var lineNumber: Int { lines.lineNumber }
  private let lines: LineReader
  private var user = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The items of the line that are not read yet.
  private var rest = UnsafeRawBufferPointer(start: nil, count: 0)

  init(_ lines: LineReader) { self.lines = lines }

  func next(_ row: inout SourceRow) throws(DatasetError) -> RowStep {
    skipBlanks()
    while rest.isEmpty {
      guard let line = try lines.next() else { return .end }
      guard !line.isEmpty else { continue }
      guard let tab = line.firstIndex(of: UInt8(ascii: "\t")) else {
        return .damaged(.fieldCount(found: 1, expected: 2))
      }
      user = UnsafeRawBufferPointer(rebasing: line[..<tab])
      rest = UnsafeRawBufferPointer(rebasing: line[(tab + 1)...])
      skipBlanks()
      if rest.isEmpty { return .damaged(.empty(.item)) }
    }
    let end = rest.firstIndex(of: 0x20) ?? rest.count
    row.user = user
    row.item = UnsafeRawBufferPointer(rebasing: rest[..<end])
    rest = UnsafeRawBufferPointer(rebasing: rest[end...])
    return .row
  }

  private func skipBlanks() {
    let start = rest.firstIndex { $0 != 0x20 } ?? rest.count
    rest = UnsafeRawBufferPointer(rebasing: rest[start...])
  }
}
