import Protocol
import Tables
import Tensors

/// A push of rows of several tables: splits them by server and makes the requests.
package struct PushPlan {
  /// The values of one table.
  package struct Part {
    let table: Int
    let rows: RoutedRows
    let width: Int
    let write: Write

    /// Writes the values of some of a server's rows, one after the other, `[indices.count, width]`.
    typealias Write = (
      _ rows: RoutedRows.ServerRows, _ indices: Range<Int>, _ target: UnsafeMutablePointer<Float>
    ) -> Void

    init(table: Int, rows: RoutedRows, width: Int, write: @escaping Write) {
      self.table = table
      self.rows = rows
      self.width = width
      self.write = write
    }

    /// - Parameter values: row i belongs to the i-th selected row.
    package init(table: Int, rows: RoutedRows, values: Matrix) {
      let width = values.columns
      self.init(table: table, rows: rows, width: width) { server, indices, target in
        if server.positions == nil {
          target.update(
            from: values.pointer + indices.lowerBound * width, count: indices.count * width)
        } else {
          for index in indices {
            (target + (index - indices.lowerBound) * width)
              .update(from: values.pointer + server.position(at: index) * width, count: width)
          }
        }
        withExtendedLifetime(values) {}
      }
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
      let present = parts.filter { $0.rows.servers[server].count > 0 }
      try PushLimit.check(
        present.map { part in
          PushLimit.Share(
            table: routing.tables[part.table].name,
            byteCount: part.rows.servers[server].count * part.width * MemoryLayout<Float>.stride)
        }, server: server)
      let sections = present.map { part in
        TableSection(
          table: UInt32(part.table), rowCount: UInt32(part.rows.servers[server].count),
          width: UInt32(part.width), isWhole: part.rows.isWhole)
      }
      let valueCount = present.reduce(0) { $0 + $1.rows.servers[server].count * $1.width }
      let values = Payload.make(Float.self, count: valueCount) { buffer in
        guard var target = buffer.baseAddress else { return }
        for part in present {
          let rows = part.rows.servers[server]
          let start = target
          Lanes.current.forEachRange(of: rows.count, elements: part.width) { range in
            part.write(rows, range, start + range.lowerBound * part.width)
          }
          target += rows.count * part.width
        }
      }
      return ServerRequest(
        server: server,
        body: PushRequest(
          name: name, kind: kind, sections: sections,
          keys: present.map(\.rows).keys(ofServer: server), values: values,
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
