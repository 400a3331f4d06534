internal import Messages
internal import Models
internal import Tables
internal import Tensors

/// One pull of a selection of rows: the requests to send and how the answers become matrices.
struct PullPlan {
  /// The rows of each table; nil where none are wanted.
  let routed: [RoutedRows?]
  let version: UInt64
  /// The versions whose rows will do.
  private let acceptable: ClosedRange<UInt64>
  private let routing: TableRouting

  /// - Parameter acceptable: the versions whose rows will do; nil: the one asked for alone.
  init(
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

  /// One request to every server. One that holds none of the rows is asked for nothing, and its
  /// answer still says that it has reached the version: a worker that did not wait for it would
  /// push to a version that this server does not have yet.
  ///
  /// - Parameters:
  ///   - confirmed: shards whose contributions to the version before all servers have.
  ///   - wantsReports: whether the sums of these shards' epoch are wanted too.
  func requests(
    generation: UInt64, confirmed: [UInt32] = [], wantsReports: Bool = false
  ) -> [Addressed<PullRequest>] {
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
      return Addressed(
        server: server,
        body: PullRequest(
          generation: generation, version: version, sections: sections, keys: keys,
          confirmed: confirmed, wantsReports: wantsReports))
    }
  }

  /// What a server is asked for, in table order.
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
  /// - Parameter replies: one per request, in their order.
  /// - Throws: ``TrainingError`` when an answer is not what was asked for.
  func assemble(_ replies: [PullReply], make: (_ rows: Int, _ columns: Int) -> Matrix)
    throws -> [Matrix?]
  {
    let matrices = routed.enumerated().map { table, rows in
      rows.map { make($0.count, routing.tables[table].width) }
    }
    guard routing.serverCount == replies.count else {
      throw TrainingError(
        "Cannot use pulled rows: \(replies.count) answers came from \(routing.serverCount) servers."
      )
    }
    for (server, reply) in replies.enumerated() {
      let expected = sections(of: server)
      guard reply.sections == expected, acceptable.contains(reply.version) else {
        let oldest = acceptable.lowerBound
        throw TrainingError(
          "Cannot use the rows of server \(server): version \(reply.version) with "
            + "\(reply.sections.count) tables came, version \(version)"
            + (oldest < version ? " (\(oldest) at the oldest)" : "")
            + " with \(expected.count) tables was asked for.")
      }
      var offset = 0
      for section in expected {
        guard let rows = routed[Int(section.table)], let matrix = matrices[Int(section.table)]
        else { continue }
        let width = Int(section.width)
        for position in rows.positions[server] {
          reply.values.copy(
            Float.self, from: offset, count: width, to: matrix.pointer + Int(position) * width)
          offset += width
        }
      }
    }
    return matrices
  }
}
