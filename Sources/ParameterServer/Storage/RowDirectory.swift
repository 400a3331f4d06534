import Tables

/// Where the rows of a table are on the server that holds some of them: row id ⇄ local index.
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
  private static let absent = UInt32.max

  init(_ placement: TablePlacement, rank: Int) {
    tableRows = placement.rows
    // A larger block than the table is the table.
    rowsPerBlock = UInt32(min(placement.rowsPerBlock, placement.rows))
    var next = 0
    starts = (0..<placement.blockCount).map { block in
      guard placement.server(ofBlock: block) == rank else { return Self.absent }
      defer { next += placement.rows(inBlock: block).count }
      return UInt32(next)
    }
    count = next
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

  /// The row at a local index. O(blocks): for set-up and messages.
  func row(atLocalIndex index: Int) -> Int {
    for (block, start) in starts.enumerated() where start != Self.absent {
      let first = block * Int(rowsPerBlock)
      let end = min(first + Int(rowsPerBlock), tableRows)
      if index < Int(start) + end - first { return first + index - Int(start) }
    }
    preconditionFailure("local row \(index) of \(count)")
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
