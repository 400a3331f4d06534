import Tensors

extension Tape {
  /// LightGCN's propagation: the mean over layers, the input included, without weights or
  /// nonlinearity.
  ///
  ///     y = 1 / (L + 1) · Σ_{l = 0 … L} Âˡ x
  ///
  /// - Parameters:
  ///   - adjacency: Â, `[N, N]`.
  ///   - x: `[N, D]`.
  /// - Source: He et al. 2020, arXiv:2002.02126, eqs. 7 and 8 with α = 1 / (L + 1).
  func layerMean(_ adjacency: SparseMatrix, _ x: Variable, layers: Int) -> Variable {
    var all = [x]
    for _ in 0..<layers { all.append(multiply(adjacency, all[all.count - 1])) }
    let weight = 1 / Float(layers + 1)
    return sum(all.map { ($0, weight) })
  }
}
