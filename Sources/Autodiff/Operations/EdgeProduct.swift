public import Tensors

extension Tape {
  /// Propagation over a graph whose edge weights are variables too:
  ///
  ///     y[t] = Σ_{e: s_e → t} w_e · x[s_e]
  ///
  /// - Parameters:
  ///   - weights: w, `[edges, 1]`.
  ///   - x: `[sources, D]`.
  /// - Returns: `[targets, D]`; `dw_e = ⟨g[t_e], x[s_e]⟩`, `dx[s] = Σ_e w_e g[t_e]`.
  public func multiply(_ edges: EdgeList, weights: Variable, _ x: Variable) -> Variable {
    let width = x.columns
    let output = matrix(rows: edges.targetCount, columns: width)
    edges.multiply(weights.value, x.value, into: output)
    return record(output, from: weights, x) { [unowned self] gradient in
      accumulate(into: weights) { target, isFirst in
        for edge in 0..<edges.count {
          let share = BLAS.dot(
            gradient.pointer + Int(edges.targets[edge]) * width,
            x.value.pointer + Int(edges.sources[edge]) * width, count: width)
          target.pointer[edge] = isFirst ? share : target.pointer[edge] + share
        }
      }
      accumulate(into: x) { target, isFirst in
        let ordered = matrix(rows: edges.count, columns: 1)
        let share = isFirst ? target : matrix(rows: target.rows, columns: width)
        edges.multiplyTransposed(weights.value, gradient, into: share, ordered: ordered)
        if !isFirst { BLAS.accumulate(share.pointer, into: target.pointer, count: target.count) }
      }
    }
  }
}
