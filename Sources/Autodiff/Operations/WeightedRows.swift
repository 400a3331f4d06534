internal import Tensors

extension Tape {
  /// Sums of matrices whose rows are weighted one by one: `y[r] = Σ_k w[r, k] · x_k[r]`.
  ///
  /// - Parameters:
  ///   - parts: one matrix per column of the weights, `[≥ R, D]`; rows beyond R take no part.
  ///   - weights: `[R, parts.count]`.
  /// - Returns: `[R, D]`; `dx_k[r] = w[r, k] g[r]`, `dw[r, k] = ⟨g[r], x_k[r]⟩`.
  public func weightedRowSum(_ parts: [Variable], weights: Variable) -> Variable {
    let (rows, width) = (weights.rows, parts[0].columns)
    precondition(
      parts.count == weights.columns
        && parts.allSatisfy { $0.rows >= rows && $0.columns == width },
      "weightedRowSum: \(parts.map(\.value.shape)) with weights \(weights.value.shape)")
    let output = matrix(rows: rows, columns: width)
    output.fill(0)
    for (column, part) in parts.enumerated() {
      for row in 0..<rows {
        BLAS.accumulate(
          part.value.pointer + row * width,
          scaledBy: weights.value.pointer[row * parts.count + column],
          into: output.pointer + row * width, count: width)
      }
    }
    return record(output, from: parts + [weights]) { [unowned self] gradient in
      for (column, part) in parts.enumerated() {
        scatter(into: part) { target in
          for row in 0..<rows {
            BLAS.accumulate(
              gradient.pointer + row * width,
              scaledBy: weights.value.pointer[row * parts.count + column],
              into: target.pointer + row * width, count: width)
          }
        }
      }
      scatter(into: weights) { target in
        for row in 0..<rows {
          for (column, part) in parts.enumerated() {
            target.pointer[row * parts.count + column] += BLAS.dot(
              gradient.pointer + row * width, part.value.pointer + row * width, count: width)
          }
        }
      }
    }
  }
}
