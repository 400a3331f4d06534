import Protocol
import Tables

/// The state of a server at a version. The snapshots of all servers together suffice to resume
/// training with the same bits.
///
/// Shares blocks of rows with the server; blocks that training changes are copied, until their rows
/// are released.
package struct ServerSnapshot: Sendable {
  /// The run that the server belongs to.
  package let runID: String
  /// The generation in which the version was reached.
  package let generation: UInt64
  /// The version of the tables.
  package let version: UInt64
  /// The rank of the server, from 0.
  package let rank: Int
  /// The number of servers.
  package let serverCount: Int
  /// The optimizer that wrote the states of the rows.
  package let optimizer: OptimizerDescription
  /// The sums of the epoch so far, by shard; kept by server 0 only.
  package let epochSums: [UnitReport]
  /// In the order of their ids.
  package let tables: [TableSnapshot]
}

/// The rows of one table that a server holds.
///
/// `Sendable` is unchecked because one thread at a time reads and releases rows.
package final class TableSnapshot: @unchecked Sendable {
  private var store: TableStore
  /// The table.
  package let spec: TableSpec
  /// The table's name, row count and row layout.
  package let shape: TableShape
  /// The number of rows on this server.
  package let rowCount: Int

  init(_ store: TableStore) {
    self.store = store
    spec = store.spec
    shape = TableShape(store.spec, store.layout)
    rowCount = store.rowCount
  }

  /// Gives up rows that are not needed any more, so that training need not copy what it changes:
  /// while a large table is written, the copies would soon be as large as the table.
  ///
  /// - Precondition: the rows at these positions are not read again.
  package func release(rowsBefore position: Int) { store.dropBlocks(before: position) }

  /// Calls `body` with the id of every row of this server, ascending: in the order of positions.
  package func forEachRow<Failure: Error>(
    _ body: (_ row: UInt32) throws(Failure) -> Void
  ) throws(Failure) {
    try store.directory.forEachRow { (_, row) throws(Failure) in try body(UInt32(row)) }
  }

  /// Copies weights (part 0) or an optimizer state (part 1, …) of the rows at some positions to
  /// `destination`, `[positions.count, the part's width]` as they are stored.
  ///
  /// - Precondition: positions below `rowCount`, and a part that the shape has.
  package func copy(
    part: Int, ofRowsAt positions: Range<Int>, to destination: UnsafeMutableRawPointer
  ) {
    let part = store.layout.parts[part]
    precondition(positions.upperBound <= rowCount)
    for (index, position) in positions.enumerated() {
      (destination + index * part.byteCount).copyMemory(
        from: UnsafeRawPointer(store.row(at: position)) + part.offset, byteCount: part.byteCount)
    }
  }

  /// The number of the last update of the row at a position; 0 if there was none or it is not
  /// tracked.
  package func lastUpdate(at position: Int) -> UInt32 { UInt32(store.lastUpdate(at: position)) }
}

/// The name, row count and row layout of a table.
package struct TableShape: Sendable, Equatable {
  /// The table's name.
  package let name: String
  /// Rows on all servers together.
  package let rows: Int
  /// The layout of each row.
  package let layout: RowLayout

  package init(name: String, rows: Int, layout: RowLayout) {
    self.name = name
    self.rows = rows
    self.layout = layout
  }

  init(_ spec: TableSpec, _ layout: RowLayout) {
    self.init(name: spec.name, rows: spec.rows, layout: layout)
  }
}

extension ServerState {
  /// The server's part of a checkpoint of the current version; nil while initial values are
  /// missing. O(blocks of rows).
  ///
  /// Contributions to the current version are not part of it: they are computed again after a
  /// restore.
  package func snapshot() -> ServerSnapshot? {
    guard missingInitialValues.isEmpty else { return nil }
    return ServerSnapshot(
      runID: runID, generation: generation, version: version, rank: rank,
      serverCount: serverCount, optimizer: optimizer.description, epochSums: epochSums.all,
      tables: tables.map(TableSnapshot.init))
  }
}
