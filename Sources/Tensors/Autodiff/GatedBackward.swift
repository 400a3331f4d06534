extension Tape {
  /// What gates did in one backward pass.
  package struct GateSummary {
    /// Tensors that main and auxiliary terms share.
    package fileprivate(set) var count = 0
    /// How many of them had opposite gradients.
    package fileprivate(set) var conflictCount = 0
    fileprivate var scaleSum = 0.0

    /// The share of shared tensors with ⟨a, g⟩ < 0; 0 if there are none.
    package var conflict: Double { Double(conflictCount) / Double(max(1, count)) }
    /// The mean factor by which auxiliary gradients were shortened, in `0 ... 1`.
    package var scale: Double { scaleSum / Double(max(1, count)) }
  }

  /// Computes the gradient of main and auxiliary terms for every parameter, and gates the auxiliary
  /// part of every tensor that both reach.
  ///
  /// Two passes compute the gradients of main and auxiliary terms, down to the boundary. Gated are
  /// the tape's parameters, as far as these passes reach them, and the variables at the boundary.
  /// A third pass propagates the results at the boundary to the parameters below it. Thus costly
  /// operations below the boundary run their adjoints once.
  ///
  /// With a limit of 0 the gradients of shared tensors are those of ``backward(from:)`` for the
  /// main terms, to the bit where no operation that was recorded before a boundary variable adds to
  /// a parameter below it.
  ///
  /// - Parameters:
  ///   - main: terms with their weights, `[1, 1]` each.
  ///   - auxiliary: likewise.
  ///   - gate: applied per tensor. A tensor that only one kind of terms reaches keeps its gradient.
  ///   - boundary: variables of this recording, in any order.
  /// - Precondition: every reduction is resolved; called once per recording.
  package func backward(
    from main: [(variable: Variable, weight: Float)],
    auxiliary: [(variable: Variable, weight: Float)], gate: GradientGate, boundary: [Variable]
  ) -> GateSummary {
    let shared = distinct(parameters + boundary)
    let passes = beginPasses()
    propagate(from: main, stoppingAt: boundary)
    var gradients = takeGradients(of: shared)
    discardGradients(keeping: gradients, since: passes)
    propagate(from: auxiliary, stoppingAt: boundary)
    let added = takeGradients(of: shared)

    var summary = GateSummary()
    for (index, variable) in shared.enumerated() {
      guard let auxiliary = added[index] else { continue }
      guard let main = gradients[index] else {
        gradients[index] = auxiliary
        continue
      }
      let rows = main.rows(with: auxiliary)
      let decision = gate.combine(auxiliary.matrix, into: main.matrix, rows: rows)
      gradients[index] = HeldGradient(matrix: main.matrix, writtenRows: rows)
      summary.count += 1
      summary.conflictCount += decision.isConflict ? 1 : 0
      summary.scaleSum += decision.scale
      // Given back for its buffer to be discarded.
      place(auxiliary, in: variable)
    }
    discardGradients(keeping: gradients, since: passes)
    for (variable, gradient) in zip(shared, gradients) {
      if let gradient { place(gradient, in: variable) }
    }
    propagateGradients()
    return summary
  }

  private func distinct(_ variables: [Variable]) -> [Variable] {
    var seen: Set<ObjectIdentifier> = []
    return variables.filter { $0.needsGradient && seen.insert(ObjectIdentifier($0)).inserted }
  }
}

/// A gradient outside of its variable, between two passes.
struct HeldGradient {
  let matrix: Matrix
  /// See ``Variable/writtenRows``.
  let writtenRows: [Int32]?

  /// The rows that were written in this or another gradient of the same variable, ascending and
  /// distinct; nil if any may have been.
  fileprivate func rows(with other: HeldGradient) -> [Int32]? {
    guard let own = writtenRows, let others = other.writtenRows else { return nil }
    return (own + others).distinctAscending(below: matrix.rows)
  }
}
