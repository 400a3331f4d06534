internal import Models
public import Tables

/// Some rows of one table, split by the server that holds them.
struct RoutedRows {
  /// Per server: row ids, ascending.
  let keys: [[UInt32]]
  /// Per server: where each of those rows lies in the matrix that holds the selection.
  let positions: [[Int32]]
  /// Every row of the table; keys need not travel.
  let isWhole: Bool
  /// Rows in total.
  let count: Int
}

/// Knows which server holds each row of every table.
public struct TableRouting: Sendable {
  public let tables: [TableSpec]
  public let serverCount: Int
  private let placements: [TablePlacement]

  public init(tables: [TableSpec], serverCount: Int) {
    self.tables = tables
    self.serverCount = serverCount
    let map = SlotMap(serverCount: serverCount)
    placements = tables.map { TablePlacement($0, in: map) }
  }

  func route(_ selection: RowSelection, table: Int) -> RoutedRows? {
    switch selection {
    case .none:
      return nil
    case .all:
      let keys = (0..<serverCount).map { placements[table].rows(ofServer: $0) }
      return RoutedRows(
        keys: keys, positions: keys.map { $0.map(Int32.init) }, isWhole: true,
        count: tables[table].rows)
    case .listed(let rows):
      var keys = [[UInt32]](repeating: [], count: serverCount)
      var positions = [[Int32]](repeating: [], count: serverCount)
      for (position, row) in rows.enumerated() {
        let server = placements[table].server(ofRow: Int(row))
        keys[server].append(UInt32(row))
        positions[server].append(Int32(position))
      }
      return RoutedRows(keys: keys, positions: positions, isWhole: false, count: rows.count)
    }
  }
}
