import Tables

/// What the rows of one table take in the memory of a server, from the code that allocates them.
package struct TableMemory: Sendable, Equatable {
  /// Weights, optimizer states and update numbers.
  package let rowBytes: Int
  /// What finds a row, and the headers of its blocks.
  package let indexBytes: Int

  /// - Parameters:
  ///   - rowCount: of the rows that the server holds.
  ///   - layout: of a row.
  package init(_ spec: TableSpec, layout: RowLayout, rowCount: Int) {
    rowBytes = rowCount * layout.byteCount
    let placed = (spec.rows + spec.rowsPerBlock - 1) / spec.rowsPerBlock
    let blockRows = TableStore.rowsPerBlock(of: layout)
    let blocks = (rowCount + blockRows - 1) / blockRows
    // `RowDirectory` has a number per block of rows that are placed together, of all servers; a
    // block of the store is an object and two allocations.
    indexBytes = placed * MemoryLayout<UInt32>.stride + blocks * Self.blockOverhead
  }

  /// The reference to a block, its object, and the bookkeeping of its allocations.
  private static let blockOverhead = 8 + 80 + 2 * 80

  package var byteCount: Int { rowBytes + indexBytes }
}
