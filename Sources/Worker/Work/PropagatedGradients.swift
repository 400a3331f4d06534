import Protocol
import Recommenders
import Tensors

/// The gradients of the propagated matrices of a step, on their way to all workers.
///
/// The backward pass through the propagation is linear in these gradients, and only the rows of the
/// batch have any. So the servers add them over all shards, and every worker runs the backward pass
/// once, however many shards there are.
package struct PropagatedGradients {
  private let serverCount: Int

  package init(serverCount: Int) { self.serverCount = serverCount }

  /// One request for every server, even for one that gets no rows: it answers when all shards have
  /// sent theirs.
  ///
  /// - Parameters:
  ///   - variables: the propagated matrices, `[rows, width]`, with the gradients of one shard. Rows
  ///     without any are left out.
  ///   - wantsRows: whether the replies should contain the sums.
  package func requests(
    _ variables: [Variable], name: ContributionName, wantsRows: Bool
  ) -> [ServerRequest<ReduceRequest>] {
    let present = variables.map { rowsByServer($0.gradientRows) }
    return (0..<serverCount).map { server in
      let parts = variables.indices.compactMap { index -> (table: Int, rows: [UInt32])? in
        let rows = present[index][server]
        return rows.isEmpty ? nil : (index, rows)
      }
      let sections = parts.map { part in
        TableSection(
          table: UInt32(part.table), rowCount: UInt32(part.rows.count),
          width: UInt32(variables[part.table].columns), isWhole: false)
      }
      let count = sections.reduce(0) { $0 + Int($1.rowCount) * Int($1.width) }
      let values = Payload.make(Float.self, count: count) { buffer in
        guard var target = buffer.baseAddress else { return }
        for part in parts {
          guard let matrix = variables[part.table].gradient else { continue }
          for row in part.rows {
            target.update(
              from: matrix.pointer + Int(row) * matrix.columns, count: matrix.columns)
            target += matrix.columns
          }
        }
      }
      return ServerRequest(
        server: server,
        body: ReduceRequest(
          name: name, stage: .propagated,
          rows: GradientRows(
            sections: sections, keys: Payload.copying(parts.flatMap(\.rows)), values: values),
          wantsRows: wantsRows))
    }
  }

  /// Rows by the server that adds them. Any assignment will do, because the sum of a row does not
  /// depend on where it is formed.
  private func rowsByServer(_ all: [UInt32]) -> [[UInt32]] {
    var rows = [[UInt32]](repeating: [], count: serverCount)
    for row in all { rows[Int(row) % serverCount].append(row) }
    return rows
  }

  /// The summed gradients as whole matrices; nil where no shard had any.
  ///
  /// - Parameters:
  ///   - replies: one per server, in their order.
  ///   - variables: the propagated matrices.
  ///   - make: a matrix with undefined elements.
  /// - Throws: ``TrainingError`` when a reply does not fit the matrices.
  package func assemble(
    _ replies: [ReduceReply], for variables: [Variable],
    make: (_ rows: Int, _ columns: Int) -> Matrix
  ) throws -> [Matrix?] {
    var sums = [Matrix?](repeating: nil, count: variables.count)
    for (server, reply) in replies.enumerated() {
      var (keyStart, valueStart) = (0, 0)
      for section in reply.rows.sections {
        let (index, count) = (Int(section.table), Int(section.rowCount))
        guard index < variables.count, Int(section.width) == variables[index].columns else {
          throw unusable(server, "rows of matrix \(index) with \(section.width) columns")
        }
        let width = variables[index].columns
        let matrix = sums[index] ?? make(variables[index].rows, width)
        if sums[index] == nil {
          matrix.fill(0)
          sums[index] = matrix
        }
        for position in 0..<count {
          let row = Int(reply.rows.keys.load(UInt32.self, at: keyStart + position))
          guard row < matrix.rows else { throw unusable(server, "row \(row) of matrix \(index)") }
          reply.rows.values.copy(
            Float.self, from: valueStart + position * width, count: width,
            to: matrix.pointer + row * width)
        }
        keyStart += count
        valueStart += count * width
      }
    }
    return sums
  }

  private func unusable(_ server: Int, _ what: String) -> TrainingError {
    TrainingError(
      "Cannot use the sums of server \(server): it sent \(what), which this model does not have. "
        + "Use the same release of mrdib on all machines.")
  }
}
