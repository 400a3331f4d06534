extension Tape {
  /// Rows scaled to unit length: `x / max(‖x‖₂, 1e-12)`.
  public func rowL2(_ x: Variable) -> Variable {
    let width = x.columns
    let output = matrix(rows: x.rows, columns: width)
    let inverseNorms = matrix(rows: x.rows, columns: 1)
    Lanes.current.forEachRange(of: x.rows, elements: 2 * width) { rows in
      for row in rows {
        let source = x.value.pointer + row * width
        let inverse = 1 / max(BLAS.dot(source, source, count: width).squareRoot(), 1e-12)
        inverseNorms.pointer[row] = inverse
        for column in 0..<width { output.pointer[row * width + column] = source[column] * inverse }
      }
    }
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x, rowsCosting: 3 * width) { target, rows, isFirst in
        for row in rows {
          let y = output.pointer + row * width
          let g = gradient.pointer + row * width
          let along = BLAS.dot(y, g, count: width)
          for column in 0..<width {
            let share = (g[column] - along * y[column]) * inverseNorms.pointer[row]
            let index = row * width + column
            target.pointer[index] = isFirst ? share : target.pointer[index] + share
          }
        }
      }
    }
  }

  /// The InfoNCE loss of paired rows: each row of `x` must recognise its partner among all rows of
  /// `y`.
  ///
  ///     L = −(1/J) Σ_i ln( e^{a_i·b_i/τ} / Σ_j e^{a_i·b_j/τ} ),  a = rowL2(x), b = rowL2(y)
  ///
  /// One-directional; the positive is in the denominator; equal rows are not removed.
  ///
  /// - Returns: `[1, 1]`, nats, 0 for no rows; at least −ln J below the mutual information
  ///   (ln J − L bounds it).
  /// - Complexity: O(J² D), one `[J, J]` temporary.
  /// - Source: van den Oord et al. 2018, arXiv:1807.03748, eq. 4.
  public func infoNCE(_ x: Variable, _ y: Variable, temperature: Float) -> Variable {
    let a = rowL2(x)
    let b = rowL2(y)
    let count = a.rows
    let weights = matrix(rows: count, columns: count)  // softmax over j, [J, J]
    BLAS.multiply(
      .init(a.value), .init(b.value), transposeB: true, into: .init(weights),
      alpha: 1 / temperature)
    var total = 0.0
    for row in 0..<count { total -= Double(weights[row, row]) }
    for logSum in weights.softmaxRows() { total += logSum }
    return record(scalar(Float(total / Double(max(1, count)))), from: a, b) {
      [unowned self] gradient in
      // (softmax − identity) · rows, as two products: adjoints may run once per shard, so the
      // weights must not change, and a copy of them would be the largest matrix of a step.
      let factor = gradient.pointer[0] / (Float(max(1, count)) * temperature)
      accumulate(into: a) { target, isFirst in
        BLAS.multiply(
          .init(weights), .init(b.value), into: .init(target), alpha: factor,
          beta: isFirst ? 0 : 1)
        subtract(b.value, scaledBy: factor, from: target)
      }
      accumulate(into: b) { target, isFirst in
        BLAS.multiply(
          .init(weights), transposeA: true, .init(a.value), into: .init(target), alpha: factor,
          beta: isFirst ? 0 : 1)
        subtract(a.value, scaledBy: factor, from: target)
      }
    }
  }

  private func subtract(_ source: Matrix, scaledBy factor: Float, from target: Matrix) {
    Lanes.current.forEachRange(of: target.count) { range in
      add(source, scaledBy: -factor, to: target, range, isFirst: false)
    }
  }
}
