import Protocol
import Recommenders
import Tables
import Tensors

/// A pull of selected rows: makes the requests, and assembles matrices from the replies.
package struct PullPlan {
  /// The rows of each table; nil for tables without selected rows.
  let routed: [RoutedRows?]
  let version: UInt64
  /// The versions of rows that are accepted.
  private let acceptable: ClosedRange<UInt64>
  private let routing: TableRouting

  /// - Parameter acceptable: the versions of rows that are accepted; nil: only `version`.
  package init(
    _ selections: [RowSelection], version: UInt64, acceptable: ClosedRange<UInt64>? = nil,
    routing: TableRouting
  ) {
    self.version = version
    self.acceptable = acceptable ?? version...version
    self.routing = routing
    routed = selections.enumerated().map { table, selection in
      routing.route(selection, table: table)
    }
  }

  /// One request for every server, even for a server with none of the rows: its reply shows that it
  /// has reached the version. Otherwise the worker could push to a version that the server has not
  /// reached.
  ///
  /// - Parameters:
  ///   - confirmed: shards whose contributions to the version before are on all servers.
  ///   - wantsReports: whether the sums of these shards' epoch are requested too.
  package func requests(
    generation: UInt64, confirmed: [UInt32] = [], wantsReports: Bool = false
  ) -> [ServerRequest<PullRequest>] {
    (0..<routing.serverCount).map { server in
      let sections = sections(of: server)
      let listed = routed.compactMap { $0 }.filter { !$0.isWhole }
      let count = listed.reduce(0) { $0 + $1.keys[server].count }
      let keys = Payload.make(UInt32.self, count: count) { buffer in
        var next = 0
        for rows in listed {
          for key in rows.keys[server] {
            buffer[next] = key
            next += 1
          }
        }
      }
      return ServerRequest(
        server: server,
        body: PullRequest(
          generation: generation, version: version, sections: sections, keys: keys,
          confirmed: confirmed, wantsReports: wantsReports))
    }
  }

  /// The sections requested from a server, in table order.
  private func sections(of server: Int) -> [TableSection] {
    routed.enumerated().compactMap { table, rows in
      guard let rows, !rows.keys[server].isEmpty else { return nil }
      return TableSection(
        table: UInt32(table), rowCount: UInt32(rows.keys[server].count),
        width: UInt32(routing.tables[table].width), isWhole: rows.isWhole)
    }
  }

  /// The pulled rows as matrices, `[selected rows, width]` per table.
  ///
  /// - Parameter replies: one per request, in the order of the requests.
  /// - Throws: ``TrainingError`` when a reply does not fit its request.
  package func assemble(
    _ replies: [PullReply], make: (_ rows: Int, _ columns: Int) -> Matrix
  ) throws -> [Matrix?] {
    let matrices = routed.enumerated().map { table, rows in
      rows.map { make($0.count, routing.tables[table].width) }
    }
    guard routing.serverCount == replies.count else {
      throw TrainingError(
        "Cannot use pulled rows: \(routing.serverCount) servers sent \(replies.count) replies."
      )
    }
    for (server, reply) in replies.enumerated() {
      let expected = sections(of: server)
      guard reply.sections == expected, acceptable.contains(reply.version) else {
        let oldest = acceptable.lowerBound
        throw TrainingError(
          "Cannot use the rows of server \(server): it sent version \(reply.version) with "
            + "\(reply.sections.count) tables, but version \(version)"
            + (oldest < version ? " (\(oldest) at the oldest)" : "")
            + " with \(expected.count) tables was requested.")
      }
      var offset = 0
      for section in expected {
        guard let rows = routed[Int(section.table)], let matrix = matrices[Int(section.table)]
        else { continue }
        let width = Int(section.width)
        let positions = rows.positions[server]
        let start = offset
        Lanes.current.forEachRange(of: positions.count, elements: width) { range in
          for index in range {
            reply.values.copy(
              Float.self, from: start + index * width, count: width,
              to: matrix.pointer + Int(positions[index]) * width)
          }
        }
        offset += positions.count * width
      }
    }
    return matrices
  }
}
