internal import Tensors

extension Tape {
  /// `y = x · W[:, columns]ᵀ + biasScale · b`.
  ///
  /// - Parameters:
  ///   - x: `[J, F]`.
  ///   - weight: `[out, ≥ F]`.
  ///   - columns: which `F` neighbouring columns of the weight multiply `x`; nil means all.
  ///   - bias: `[1, out]`, added to every row.
  ///   - biasScale: the share of the bias that this term carries.
  /// - Returns: `[J, out]`.
  public func linear(
    _ x: Variable, _ weight: Variable, columns: Range<Int>? = nil, bias: Variable? = nil,
    biasScale: Float = 1
  ) -> Variable {
    let range = columns ?? 0..<weight.columns
    let output = matrix(rows: x.rows, columns: weight.rows)
    if let bias { broadcast(bias, scaledBy: biasScale, into: output) }
    BLAS.multiply(
      .init(x.value), .init(weight.value, columns: range), transposeB: true, into: .init(output),
      beta: bias == nil ? 0 : 1)
    return record(output, from: [x, weight] + (bias.map { [$0] } ?? [])) {
      [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        BLAS.multiply(
          .init(gradient), .init(weight.value, columns: range), into: .init(target),
          beta: isFirst ? 0 : 1)
      }
      // Other terms may own the remaining columns of the weight: begin with zeros there.
      let coversWeight = range.count == weight.columns
      accumulate(into: weight) { target, isFirst in
        if isFirst && !coversWeight { target.fill(0) }
        BLAS.multiply(
          .init(gradient), transposeA: true, .init(x.value), into: .init(target, columns: range),
          beta: isFirst && coversWeight ? 0 : 1)
      }
      if let bias { accumulateColumnSums(of: gradient, scaledBy: biasScale, into: bias) }
    }
  }
}
