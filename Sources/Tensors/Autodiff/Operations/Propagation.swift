internal import Foundation

extension Tape {
  /// `y = M · x` with a constant sparse matrix: one step of propagation over a graph.
  ///
  /// - Parameters:
  ///   - matrix: M, `[R, C]`; its transpose is computed once, for the backward pass.
  ///   - x: `[C, D]`.
  /// - Returns: `[R, D]`; `dx = Mᵀ g`.
  public func multiply(_ matrix: SparseMatrix, _ x: Variable) -> Variable {
    let output = self.matrix(rows: matrix.rows, columns: x.columns)
    matrix.multiply(x.value, into: output)
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        matrix.transposed.multiply(gradient, into: target, adds: !isFirst)
      }
    }
  }
}

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
      accumulate(into: weights, elements: 2 * width) { target, range, isFirst in
        for edge in range {
          let share = BLAS.dot(
            gradient.pointer + Int(edges.targets[edge]) * width,
            x.value.pointer + Int(edges.sources[edge]) * width, count: width)
          target.pointer[edge] = isFirst ? share : target.pointer[edge] + share
        }
      }
      accumulate(into: x) { target, isFirst in
        let ordered = matrix(rows: edges.count, columns: 1)
        edges.multiplyTransposed(
          weights.value, gradient, into: target, adds: !isFirst, ordered: ordered)
      }
    }
  }
}

extension Tape {
  /// Attention over the edges that lead to each target:
  ///
  ///     α_e = e^{l_e} / Σ_{e' to the same target} e^{l_e'}
  ///
  /// - Parameter logits: l, `[edges, 1]`.
  /// - Returns: `[edges, 1]`; sums to 1 for each target that has edges.
  /// - Numerics: the largest logit of a target is subtracted first.
  public func edgeSoftmax(_ logits: Variable, over edges: EdgeList) -> Variable {
    precondition(logits.value.count == edges.count, "\(edges.count) edges, \(logits.value.shape)")
    let output = matrix(rows: edges.count, columns: 1)
    edges.forEachTargets { targets in
      for target in targets {
        let range = edges.edges(to: target)
        var largest = -Float.infinity
        for edge in range { largest = max(largest, logits.value.pointer[edge]) }
        var sum: Float = 0
        for edge in range {
          output.pointer[edge] = exp(logits.value.pointer[edge] - largest)
          sum += output.pointer[edge]
        }
        for edge in range { output.pointer[edge] /= sum }
      }
    }
    return record(output, from: logits) { [unowned self] gradient in
      accumulate(into: logits) { destination, isFirst in
        edges.forEachTargets { targets in
          for target in targets {
            let range = edges.edges(to: target)
            var mean: Float = 0
            for edge in range { mean += output.pointer[edge] * gradient.pointer[edge] }
            for edge in range {
              let share = output.pointer[edge] * (gradient.pointer[edge] - mean)
              destination.pointer[edge] = isFirst ? share : destination.pointer[edge] + share
            }
          }
        }
      }
    }
  }
}

extension Tape {
  /// The largest of several scaled columns, cut off at 0:
  ///
  ///     y_e = max(0, max_m x_m[e] · s[i_e, m])
  ///
  /// - Parameters:
  ///   - columns: x_m, M variables `[E, 1]`.
  ///   - scales: s, `[J, M]`.
  ///   - indices: i, the row of `scales` that multiplies each element, `[E]`.
  /// - Returns: `[E, 1]`. The gradient flows only into the largest product (the first of equal
  ///   ones), and nowhere where the result is 0.
  public func largestProduct(
    _ columns: [Variable], scales: Variable, _ indices: [Int32]
  ) -> Variable {
    let count = indices.count
    precondition(
      columns.count == scales.columns, "\(columns.count) columns, \(scales.columns) scales")
    precondition(columns.allSatisfy { $0.value.count == count }, "largestProduct of unequal counts")
    let width = scales.columns
    let output = matrix(rows: count, columns: 1)
    // The column of the largest product; -1 where no product is positive.
    var winners = [Int32](repeating: -1, count: count)
    for element in 0..<count {
      let scale = scales.value.pointer + Int(indices[element]) * width
      var largest: Float = 0
      for column in 0..<width {
        let product = columns[column].value.pointer[element] * scale[column]
        if product > largest { (largest, winners[element]) = (product, Int32(column)) }
      }
      output.pointer[element] = largest
    }
    let won = winners
    return record(output, from: columns + [scales]) { [unowned self] gradient in
      for (column, variable) in columns.enumerated() {
        scatter(into: variable) { target in
          for element in 0..<count where won[element] == Int32(column) {
            target.pointer[element] +=
              gradient.pointer[element]
              * scales.value.pointer[Int(indices[element]) * width + column]
          }
        }
      }
      scatter(into: scales) { target in
        for element in 0..<count where won[element] >= 0 {
          let column = Int(won[element])
          target.pointer[Int(indices[element]) * width + column] +=
            gradient.pointer[element] * columns[column].value.pointer[element]
        }
      }
    }
  }
}
