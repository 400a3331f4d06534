public import Messages
public import Tables

/// What a server has at a version: enough to go on from there with the same bits, together with
/// the snapshots of the other servers.
///
/// A value: it keeps its rows while the server trains on, at the cost of the blocks of rows that
/// are written meanwhile.
public struct ServerSnapshot: Sendable {
  /// The run that the server belongs to.
  public let runID: String
  /// The generation in which the version was reached.
  public let generation: UInt64
  /// What the tables stand at.
  public let version: UInt64
  /// Which of the servers this is, from 0.
  public let rank: Int
  /// How many servers share the rows.
  public let serverCount: Int
  /// What wrote the states of the rows.
  public let optimizer: OptimizerDescription
  /// What the contributions to the epoch have said of themselves so far, by shard; kept by server 0
  /// alone.
  public let epochSums: [UnitReport]
  /// In the order of their ids.
  public let tables: [TableSnapshot]
}

/// The rows of one table that a server holds.
public struct TableSnapshot: Sendable {
  let store: TableStore

  /// The table.
  public var spec: TableSpec { store.spec }
  /// What belongs to each of its rows.
  public var shape: TableShape { TableShape(store.spec, store.layout) }
  /// Rows of this server.
  public var rowCount: Int { store.rowCount }

  /// Calls `body` with the id of every row of this server, ascending; its position counts them.
  package func forEachRow<Failure: Error>(
    _ body: (_ row: UInt32) throws(Failure) -> Void
  ) throws(Failure) {
    try store.directory.forEachRow { (_, row) throws(Failure) in try body(UInt32(row)) }
  }

  /// Copies weights (part 0) or an optimizer state (part 1, …) of the rows at some positions to
  /// `destination`, `[positions.count, the part's width]`.
  ///
  /// - Precondition: positions below `rowCount`, and a part that the shape has.
  package func copy(
    part: Int, ofRowsAt positions: Range<Int>, to destination: UnsafeMutablePointer<Float>
  ) {
    let columns = store.layout.parts[part]
    precondition(positions.upperBound <= rowCount)
    for (offset, position) in positions.enumerated() {
      (destination + offset * columns.count)
        .update(from: store.row(at: position) + columns.lowerBound, count: columns.count)
    }
  }

  /// The number of the last update of the row at a position; 0: none yet, or not tracked.
  package func lastUpdate(at position: Int) -> UInt32 { UInt32(store.lastUpdate(at: position)) }
}

/// What belongs to each row of a table.
public struct TableShape: Sendable, Equatable {
  /// The table's name.
  public let name: String
  /// Rows on all servers together.
  public let rows: Int
  /// What each row has.
  public let layout: RowLayout

  package init(name: String, rows: Int, layout: RowLayout) {
    self.name = name
    self.rows = rows
    self.layout = layout
  }

  init(_ spec: TableSpec, _ layout: RowLayout) {
    self.init(name: spec.name, rows: spec.rows, layout: layout)
  }
}
