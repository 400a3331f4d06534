internal import Messages
internal import Tables
internal import Tensors

/// Rows of several tables on their way to the servers that hold them.
struct PushPlan {
  /// The values of one table: row i of `values` belongs to the i-th selected row.
  struct Part {
    let table: Int
    let rows: RoutedRows
    let values: Matrix
  }

  let parts: [Part]

  /// One request for every server; a server that holds none of the rows gets an empty one, because
  /// a version is complete when each shard has spoken.
  ///
  /// - Parameter sums: what the contribution says of itself, for the first server.
  /// - Throws: ``TrainingError`` when what one server is to get is more than a message can hold.
  func requests(
    name: ContributionName, kind: PushKind, routing: TableRouting, sums: [String: Double] = [:]
  ) throws -> [Addressed<PushRequest>] {
    try (0..<routing.serverCount).map { server in
      let present = parts.filter { !$0.rows.keys[server].isEmpty }
      try PushLimit.check(
        present.map { part in
          PushLimit.Share(
            table: routing.tables[part.table].name,
            byteCount: part.rows.keys[server].count * part.values.columns
              * MemoryLayout<Float>.stride)
        }, server: server)
      let sections = present.map { part in
        TableSection(
          table: UInt32(part.table), rowCount: UInt32(part.rows.keys[server].count),
          width: UInt32(part.values.columns), isWhole: part.rows.isWhole)
      }
      let listed = present.filter { !$0.rows.isWhole }
      let keys = Payload.make(
        UInt32.self, count: listed.reduce(0) { $0 + $1.rows.keys[server].count }
      ) { buffer in
        var next = 0
        for part in listed {
          for key in part.rows.keys[server] {
            buffer[next] = key
            next += 1
          }
        }
      }
      let valueCount = present.reduce(0) { $0 + $1.rows.keys[server].count * $1.values.columns }
      let values = Payload.make(Float.self, count: valueCount) { buffer in
        guard var target = buffer.baseAddress else { return }
        for part in present {
          let width = part.values.columns
          for position in part.rows.positions[server] {
            target.update(from: part.values.pointer + Int(position) * width, count: width)
            target += width
          }
        }
      }
      return Addressed(
        server: server,
        body: PushRequest(
          name: name, kind: kind, sections: sections, keys: keys, values: values,
          sums: server == 0 ? sums : [:]))
    }
  }
}
