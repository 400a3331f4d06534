import Protocol
import Tables

/// The rows of a table that a server holds, and their places in its memory: row id ⇄ local index.
///
/// Local indices count the rows of the server in ascending order of their ids.
struct RowDirectory: Sendable {
  /// Rows of the whole table.
  let tableRows: Int
  /// Rows of this server.
  let count: Int
  private let rowsPerBlock: UInt32
  /// The local index of each block's first row; `absent` for the blocks of other servers.
  private let starts: [UInt32]
  /// The blocks of this server. All but the last of the table are full, so that the block of a
  /// local index is found by division.
  private let blocks: [UInt32]
  private static let absent = UInt32.max

  init(_ placement: TablePlacement, rank: Int) {
    tableRows = placement.rows
    // Limited to the table, so that it fits into 32 bits.
    rowsPerBlock = UInt32(min(placement.rowsPerBlock, placement.rows))
    var next = 0
    let starts: [UInt32] = (0..<placement.blockCount).map { block in
      guard placement.server(ofBlock: block) == rank else { return Self.absent }
      defer { next += placement.rows(inBlock: block).count }
      return UInt32(next)
    }
    count = next
    self.starts = starts
    blocks = starts.indices.filter { starts[$0] != Self.absent }.map(UInt32.init)
  }

  /// The local index of a row; nil if another server holds it.
  ///
  /// - Precondition: `row < tableRows`.
  @inline(__always)
  func localIndex(ofRow row: UInt32) -> UInt32? {
    let (block, offset) = row.quotientAndRemainder(dividingBy: rowsPerBlock)
    let start = starts[Int(block)]
    return start == Self.absent ? nil : start + offset
  }

  /// The id of the row at a local index.
  ///
  /// - Precondition: `0 <= index < count`.
  @inline(__always)
  func row(atLocalIndex index: Int) -> Int {
    let (block, offset) = UInt32(index).quotientAndRemainder(dividingBy: rowsPerBlock)
    return Int(blocks[Int(block)]) * Int(rowsPerBlock) + Int(offset)
  }

  /// All rows of this server, ascending.
  func forEachRow<Failure: Error>(
    _ body: (_ localIndex: Int, _ row: Int) throws(Failure) -> Void
  ) throws(Failure) {
    for (block, start) in starts.enumerated() where start != Self.absent {
      let first = block * Int(rowsPerBlock)
      for row in first..<min(first + Int(rowsPerBlock), tableRows) {
        try body(Int(start) + row - first, row)
      }
    }
  }
}

/// Some rows of a table on this server, in ascending order.
package enum LocalRows: Sendable {
  /// All rows that the server holds.
  case whole(count: Int)
  /// Local indices, `UInt32`, in an aligned payload.
  case listed(Payload)

  var count: Int {
    switch self {
    case .whole(let count): count
    case .listed(let indices): indices.count(of: UInt32.self)
    }
  }

  /// The local indices, nil for all rows. The caller must keep the selection alive beyond the last
  /// use of the pointer.
  var indices: UnsafePointer<UInt32>? {
    switch self {
    case .whole: nil
    case .listed(let indices): indices.bytes.baseAddress?.assumingMemoryBound(to: UInt32.self)
    }
  }

  /// The local index of the row at a position of the selection.
  func localIndex(at position: Int) -> Int {
    switch self {
    case .whole: position
    case .listed(let indices): Int(indices.load(UInt32.self, at: position))
    }
  }

  /// Calls `body` with some positions in the selection and the local index of the row there.
  @inline(__always)
  func forEach(in positions: Range<Int>, _ body: (_ position: Int, _ localIndex: Int) -> Void) {
    withExtendedLifetime(self) {
      let indices = indices
      for position in positions {
        body(position, indices.map { Int($0[position]) } ?? position)
      }
    }
  }

  /// The positions in the selection of the rows of a range of local indices.
  func positions(of rows: Range<Int>) -> Range<Int> {
    withExtendedLifetime(self) {
      let indices = indices
      let start = GradientSource.position(of: rows.lowerBound, in: indices, count: count)
      let end = GradientSource.position(of: rows.upperBound, in: indices, count: count)
      return start..<end
    }
  }
}
