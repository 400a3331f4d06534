extension Tape {
  /// The soft-max over the columns of every row.
  ///
  ///     y_j = e^{x_j} / Σ_k e^{x_k}
  ///
  /// - Returns: the shape of `x`; `dx = y ⊙ (g − Σ_k g_k y_k)`, row by row.
  public func rowSoftmax(_ x: Variable) -> Variable {
    let width = x.columns
    let output = matrix(rows: x.rows, columns: width)
    output.copy(from: x.value)
    _ = output.softmaxRows()
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x, rowsCosting: 3 * width) { target, rows, isFirst in
        for row in rows {
          let y = output.pointer + row * width
          let g = gradient.pointer + row * width
          let mean = BLAS.dot(y, g, count: width)
          for column in 0..<width {
            let share = y[column] * (g[column] - mean)
            let index = row * width + column
            target.pointer[index] = isFirst ? share : target.pointer[index] + share
          }
        }
      }
    }
  }
}
