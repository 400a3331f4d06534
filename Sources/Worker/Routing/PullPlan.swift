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
    let present = routed.compactMap { $0 }
    return (0..<routing.serverCount).map { server in
      ServerRequest(
        server: server,
        body: PullRequest(
          generation: generation, version: version, sections: sections(of: server),
          keys: present.keys(ofServer: server), confirmed: confirmed, wantsReports: wantsReports))
    }
  }

  /// The sections requested from a server, in table order.
  private func sections(of server: Int) -> [TableSection] {
    routed.enumerated().compactMap { table, rows in
      guard let rows, rows.servers[server].count > 0 else { return nil }
      return TableSection(
        table: UInt32(table), rowCount: UInt32(rows.servers[server].count),
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
    }
    var starts = [Int](repeating: 0, count: replies.count)
    return routed.enumerated().map { table, rows in
      guard let rows else { return nil }
      let width = routing.tables[table].width
      defer {
        for (server, part) in rows.servers.enumerated() { starts[server] += part.count * width }
      }
      if rows.servers.count == 1, let start = starts.first,
        let matrix = replies[0].values.matrix(rows: rows.count, columns: width, from: start)
      {
        return matrix
      }
      let matrix = make(rows.count, width)
      for (server, part) in rows.servers.enumerated() {
        part.copy(from: replies[server].values, start: starts[server], to: matrix)
      }
      return matrix
    }
  }
}

extension RoutedRows.ServerRows {
  /// Copies the rows of a reply to their places in the matrix of the selection.
  ///
  /// - Parameter start: of the rows among the reply's values.
  fileprivate func copy(from values: Payload, start: Int, to matrix: Matrix) {
    let width = matrix.columns
    Lanes.current.forEachRange(of: count, elements: width) { range in
      guard positions != nil else {
        values.copy(
          Float.self, from: start + range.lowerBound * width, count: range.count * width,
          to: matrix.pointer + range.lowerBound * width)
        return
      }
      for index in range {
        values.copy(
          Float.self, from: start + index * width, count: width,
          to: matrix.pointer + position(at: index) * width)
      }
    }
  }
}

extension Payload {
  /// A matrix that shares the payload's memory, which must not be written; nil if the elements do
  /// not lie where kernels are fastest.
  ///
  /// - Parameter start: the index of the first of its elements, row by row.
  /// - Precondition: the payload has as many elements.
  fileprivate func matrix(rows: Int, columns: Int, from start: Int) -> Matrix? {
    let stride = MemoryLayout<Float>.stride
    precondition((start + rows * columns) * stride <= byteCount)
    guard rows * columns > 0, let base = bytes.baseAddress.map({ $0 + start * stride }),
      Int(bitPattern: base).isMultiple(of: Matrix.alignment)
    else { return nil }
    return Matrix(
      rows: rows, columns: columns,
      sharing: base.assumingMemoryBound(to: Float.self), of: self)
  }
}
