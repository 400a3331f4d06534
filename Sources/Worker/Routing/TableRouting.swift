import Recommenders
import Tables

/// Some rows of one table, split by the server that holds them.
package struct RoutedRows {
  /// Per server: row ids, ascending.
  let keys: [[UInt32]]
  /// Per server: the index of each of those rows in the matrix of the selection.
  let positions: [[Int32]]
  /// Whether these are all rows of the table, so that keys need not be sent.
  let isWhole: Bool
  /// Rows in total.
  let count: Int
}

/// Finds the server that holds each row of every table.
package struct TableRouting: Sendable {
  package let tables: [TableSpec]
  package let serverCount: Int
  private let placements: [TablePlacement]

  package init(tables: [TableSpec], serverCount: Int) {
    self.tables = tables
    self.serverCount = serverCount
    let map = SlotMap(serverCount: serverCount)
    placements = tables.map { TablePlacement($0, in: map) }
  }

  /// The rows of a selection by server; nil if it has none.
  package func route(_ selection: RowSelection, table: Int) -> RoutedRows? {
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

extension RowSelection {
  /// The union of several selections of one table.
  static func union(_ selections: [RowSelection]) -> RowSelection {
    guard let first = selections.first else { return .none }
    if selections.allSatisfy({ $0 == first }) { return first }
    if selections.contains(.all) { return .all }
    var rows: [Int32] = []
    for case .listed(let listed) in selections { rows += listed }
    rows.sort()
    var distinct: [Int32] = []
    distinct.reserveCapacity(rows.count)
    for row in rows where distinct.last != row { distinct.append(row) }
    return .listed(distinct)
  }
}
