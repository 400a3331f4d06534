import Protocol
import Tables
import Tensors

/// A push of rows of several tables: splits them by server and makes the requests.
package struct PushPlan {
  /// The values of one table: row i of `values` belongs to the i-th selected row.
  package struct Part {
    let table: Int
    let rows: RoutedRows
    let values: Matrix

    package init(table: Int, rows: RoutedRows, values: Matrix) {
      self.table = table
      self.rows = rows
      self.values = values
    }
  }

  let parts: [Part]

  package init(parts: [Part]) { self.parts = parts }

  /// One request for every server. A server that holds none of the rows gets an empty push, because
  /// a version is complete when every shard has contributed to every server.
  ///
  /// - Parameter sums: the contribution's loss terms and statistics, for server 0.
  /// - Throws: ``TrainingError`` when the push to one server exceeds the size of a message.
  package func requests(
    name: ContributionName, kind: PushKind, routing: TableRouting, sums: [String: Double] = [:]
  ) throws -> [ServerRequest<PushRequest>] {
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
          let positions = part.rows.positions[server]
          let start = target
          Lanes.current.forEachRange(of: positions.count, elements: width) { range in
            for index in range {
              (start + index * width).update(
                from: part.values.pointer + Int(positions[index]) * width, count: width)
            }
          }
          target += positions.count * width
        }
      }
      return ServerRequest(
        server: server,
        body: PushRequest(
          name: name, kind: kind, sections: sections, keys: keys, values: values,
          sums: server == 0 ? sums : [:]))
    }
  }
}

/// The limit on the size of a push to one server. The transport refuses larger frames.
package enum PushLimit {
  /// The values of one table in a push.
  package struct Share {
    let table: String
    let byteCount: Int

    package init(table: String, byteCount: Int) {
      self.table = table
      self.byteCount = byteCount
    }
  }

  /// The transport's largest frame.
  package static let byteCount = 256 << 20

  /// - Throws: ``TrainingError`` that names the table with most of the bytes.
  package static func check(_ shares: [Share], server: Int) throws(TrainingError) {
    let total = shares.reduce(0) { $0 + $1.byteCount }
    guard total > byteCount, let largest = shares.max(by: { $0.byteCount < $1.byteCount }) else {
      return
    }
    throw TrainingError(
      "Cannot push \(total) bytes to server \(server), of which \(largest.byteCount) are rows "
        + "of table '\(largest.table)': a message holds at most \(byteCount) bytes. Start more "
        + "servers, so that each holds fewer rows.")
  }
}
