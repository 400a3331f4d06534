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
    let gradients = variables.map(\.gradientByRows)
    return (0..<serverCount).map { server in
      let parts = gradients.enumerated().compactMap { index, gradient -> Part? in
        guard let gradient else { return nil }
        let part = Part(matrix: index, gradient: gradient, server: server, of: serverCount)
        return part.count > 0 ? part : nil
      }
      let sections = parts.map { part in
        TableSection(
          table: UInt32(part.matrix), rowCount: UInt32(part.count),
          width: UInt32(part.gradient.width), isWhole: false)
      }
      let keys = Payload.make(UInt32.self, count: parts.reduce(0) { $0 + $1.count }) { buffer in
        var next = 0
        for part in parts {
          part.forEachPosition { position in
            buffer[next] = UInt32(truncatingIfNeeded: part.gradient.rows[position])
            next += 1
          }
        }
      }
      let count = parts.reduce(0) { $0 + $1.count * $1.gradient.width }
      let values = Payload.make(Float.self, count: count) { buffer in
        guard var target = buffer.baseAddress else { return }
        for part in parts {
          part.copyValues(to: target)
          target += part.count * part.gradient.width
        }
      }
      return ServerRequest(
        server: server,
        body: ReduceRequest(
          name: name, stage: .propagated,
          rows: GradientRows(sections: sections, keys: keys, values: values),
          wantsRows: wantsRows))
    }
  }

  /// The rows of one matrix that one server adds. Any assignment will do, because the sum of a row
  /// does not depend on where it is formed.
  private struct Part {
    let matrix: Int
    let gradient: RowGradient
    /// Positions among the gradient's rows; nil for all.
    private let positions: [Int]?

    init(matrix: Int, gradient: RowGradient, server: Int, of serverCount: Int) {
      self.matrix = matrix
      self.gradient = gradient
      positions =
        serverCount == 1
        ? nil : gradient.rows.indices.filter { Int(gradient.rows[$0]) % serverCount == server }
    }

    var count: Int { positions?.count ?? gradient.rows.count }

    func forEachPosition(_ body: (Int) -> Void) {
      if let positions {
        for position in positions { body(position) }
      } else {
        for position in gradient.rows.indices { body(position) }
      }
    }

    /// - Parameter target: `[count, width]`.
    func copyValues(to target: UnsafeMutablePointer<Float>) {
      let isCopied =
        positions == nil
        && gradient.withContiguousValues {
          if let base = $0.baseAddress { target.update(from: base, count: $0.count) }
        }
      guard !isCopied else { return }
      var next = target
      forEachPosition { position in
        gradient.withRow(at: position) { next.update(from: $0, count: gradient.width) }
        next += gradient.width
      }
    }
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
