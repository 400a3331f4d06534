import Protocol
import Recommenders
import Tables
import Tensors

/// Some rows of one table, split by the server that holds them.
package struct RoutedRows {
  /// The part of one server.
  struct ServerRows {
    let count: Int
    /// Row ids, ascending; empty if these are all rows of the table, so that keys need not be sent.
    let keys: [UInt32]
    /// The index of each of those rows in the matrix of the selection; nil if the server has all of
    /// them, in their order.
    let positions: [Int32]?

    /// The index in the matrix of the selection.
    @inline(__always)
    func position(at index: Int) -> Int { positions.map { Int($0[index]) } ?? index }
  }

  /// By rank.
  let servers: [ServerRows]
  /// Whether these are all rows of the table.
  let isWhole: Bool
  /// Rows in total.
  let count: Int
}

extension [RoutedRows] {
  /// The keys that a request to a server lists.
  func keys(ofServer server: Int) -> Payload {
    Payload.make(UInt32.self, count: reduce(0) { $0 + $1.servers[server].keys.count }) { buffer in
      var next = 0
      for rows in self {
        let keys = rows.servers[server].keys
        _ = UnsafeMutableBufferPointer(rebasing: buffer[next...]).update(fromContentsOf: keys)
        next += keys.count
      }
    }
  }
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
      let count = tables[table].rows
      let servers =
        serverCount == 1
        ? [RoutedRows.ServerRows(count: count, keys: [], positions: nil)]
        : (0..<serverCount).map { server in
          let rows = placements[table].rows(ofServer: server)
          return RoutedRows.ServerRows(
            count: rows.count, keys: [], positions: rows.map { Int32(truncatingIfNeeded: $0) })
        }
      return RoutedRows(servers: servers, isWhole: true, count: count)
    case .listed(let rows):
      return RoutedRows(servers: split(rows, of: table), isWhole: false, count: rows.count)
    }
  }

  private func split(_ rows: [Int32], of table: Int) -> [RoutedRows.ServerRows] {
    guard serverCount > 1 else {
      let keys = rows.map { UInt32(truncatingIfNeeded: $0) }
      return [RoutedRows.ServerRows(count: keys.count, keys: keys, positions: nil)]
    }
    var keys = [[UInt32]](repeating: [], count: serverCount)
    var positions = [[Int32]](repeating: [], count: serverCount)
    for server in 0..<serverCount {
      keys[server].reserveCapacity(rows.count)
      positions[server].reserveCapacity(rows.count)
    }
    for (position, row) in rows.enumerated() {
      let server = placements[table].server(ofRow: Int(row))
      keys[server].append(UInt32(row))
      positions[server].append(Int32(position))
    }
    return zip(keys, positions).map {
      RoutedRows.ServerRows(count: $0.count, keys: $0, positions: $1)
    }
  }
}

extension RowSelection {
  /// The union of several selections of one table.
  static func union(_ selections: [RowSelection]) -> RowSelection {
    guard let first = selections.first else { return .none }
    if selections.allSatisfy({ $0 == first }) { return first }
    if selections.contains(.all) { return .all }
    return .listed(
      AscendingUnion.of(
        selections.compactMap { if case .listed(let rows) = $0 { rows } else { nil } }))
  }
}
