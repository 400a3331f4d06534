import Tensors

extension Loss {
  /// Computes the gradient of all terms for every parameter of their tape. Auxiliary terms pass the
  /// gate, if there is one.
  ///
  /// A gate adds two statistics: `gate.conflict`, the share of tensors whose main and auxiliary
  /// gradients had a negative inner product, and `gate.scale`, the mean factor by which auxiliary
  /// gradients were shortened. Both are means over the tensors that main and auxiliary terms share.
  ///
  /// - Parameters:
  ///   - tape: what the terms were recorded on, with its reductions resolved.
  ///   - share: the shard's share of the step's batch, for the statistics.
  public mutating func backward(on tape: Tape, share: Float) {
    let main = gradientTerms(areAuxiliary: false)
    let auxiliary = gradientTerms(areAuxiliary: true)
    guard let gate, !main.isEmpty, !auxiliary.isEmpty else {
      return tape.backward(from: gradientTerms)
    }
    let summary = tape.backward(
      from: main, auxiliary: auxiliary, gate: GradientGate(limit: gate.limit),
      boundary: gate.boundary)
    guard summary.count > 0 else { return }
    statistics["gate.conflict"] = summary.conflict * Double(share)
    statistics["gate.scale"] = summary.scale * Double(share)
  }

  private func gradientTerms(
    areAuxiliary: Bool
  ) -> [(variable: Variable, weight: Float)] {
    terms.filter { $0.isAuxiliary == areAuxiliary && $0.gradientWeight != 0 }
      .map { ($0.variable, $0.gradientWeight) }
  }
}
