import Tables

/// How many rows of each table each server holds.
package struct TablePlaces: Sendable {
  /// Rows by table and server.
  package let rows: [[Double]]
  package let serverCount: Int

  /// Placed row block by row block up to so many; larger tables are spread evenly by their hash.
  private static let mostBlocks = 2_000_000

  package init(_ tables: [TableSpec], serverCount: Int) {
    self.serverCount = serverCount
    let map = SlotMap(serverCount: serverCount)
    rows = tables.map { spec in
      guard serverCount > 1 else { return [Double(spec.rows)] }
      guard spec.rows / spec.rowsPerBlock <= Self.mostBlocks else {
        return Array(repeating: Double(spec.rows) / Double(serverCount), count: serverCount)
      }
      let placement = TablePlacement(spec, in: map)
      var counts = [Double](repeating: 0, count: serverCount)
      for block in 0..<placement.blockCount {
        counts[placement.server(ofBlock: block)] += Double(placement.rows(inBlock: block).count)
      }
      return counts
    }
  }
}
