extension Tape {
  /// `y = scale · x · W[:, columns]ᵀ + biasScale · b`.
  ///
  /// - Parameters:
  ///   - x: `[J, F]`.
  ///   - weight: `[out, ≥ F]`.
  ///   - columns: which `F` consecutive columns of the weight multiply `x`; nil means all.
  ///   - scale: a constant factor of the product.
  ///   - bias: `[1, out]`, added to every row.
  ///   - biasScale: the share of the bias that this term carries.
  /// - Returns: `[J, out]`.
  public func linear(
    _ x: Variable, _ weight: Variable, columns: Range<Int>? = nil, scale: Float = 1,
    bias: Variable? = nil, biasScale: Float = 1
  ) -> Variable {
    let range = columns ?? 0..<weight.columns
    let output = matrix(rows: x.rows, columns: weight.rows)
    if let bias { broadcast(bias, scaledBy: biasScale, into: output) }
    BLAS.multiply(
      .init(x.value), .init(weight.value, columns: range), transposeB: true, into: .init(output),
      alpha: scale, beta: bias == nil ? 0 : 1)
    return record(output, from: [x, weight] + (bias.map { [$0] } ?? [])) {
      [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        BLAS.multiply(
          .init(gradient), .init(weight.value, columns: range), into: .init(target),
          alpha: scale, beta: isFirst ? 0 : 1)
      }
      // Other terms may use the remaining columns of the weight: begin with zeros there.
      let coversWeight = range.count == weight.columns
      accumulate(into: weight) { target, isFirst in
        if isFirst && !coversWeight { target.fill(0) }
        BLAS.multiply(
          .init(gradient), transposeA: true, .init(x.value), into: .init(target, columns: range),
          alpha: scale, beta: isFirst && coversWeight ? 0 : 1)
      }
      if let bias { accumulateColumnSums(of: gradient, scaledBy: biasScale, into: bias) }
    }
  }
}

extension Tape {
  /// `y = [x₁ | x₂ | …] · Wᵀ + b` without concatenating the parts.
  ///
  /// - Parameters:
  ///   - parts: `[J, F_k]`; consecutive columns of the weight multiply them, in this order.
  ///   - weight: `[out, Σ F_k]`.
  ///   - bias: `[1, out]`, added to every row.
  /// - Returns: `[J, out]`.
  /// - Precondition: at least one part; the extents agree.
  public func linear(_ parts: [Variable], _ weight: Variable, bias: Variable) -> Variable {
    var ranges: [Range<Int>] = []
    for part in parts {
      let start = ranges.last?.upperBound ?? 0
      ranges.append(start..<start + part.columns)
    }
    precondition(
      ranges.last?.upperBound == weight.columns,
      "linear: \(ranges.last?.upperBound ?? 0) columns for a weight of \(weight.value.shape)")
    let output = matrix(rows: parts[0].rows, columns: weight.rows)
    broadcast(bias, scaledBy: 1, into: output)
    for (part, columns) in zip(parts, ranges) {
      BLAS.multiply(
        .init(part.value), .init(weight.value, columns: columns), transposeB: true,
        into: .init(output), beta: 1)
    }
    return record(output, from: parts + [weight, bias]) { [unowned self] gradient in
      for (part, columns) in zip(parts, ranges) {
        accumulate(into: part) { target, isFirst in
          BLAS.multiply(
            .init(gradient), .init(weight.value, columns: columns), into: .init(target),
            beta: isFirst ? 0 : 1)
        }
      }
      accumulate(into: weight) { target, isFirst in
        for (part, columns) in zip(parts, ranges) {
          BLAS.multiply(
            .init(gradient), transposeA: true, .init(part.value),
            into: .init(target, columns: columns), beta: isFirst ? 0 : 1)
        }
      }
      accumulateColumnSums(of: gradient, scaledBy: 1, into: bias)
    }
  }
}

extension Tape {
  /// `y = x · W`: a linear map whose weight is stored inputs × outputs, without a bias.
  ///
  /// - Parameters:
  ///   - x: `[J, in]`.
  ///   - weight: `[in, out]`.
  /// - Returns: `[J, out]`; `dx = g Wᵀ`, `dW = xᵀ g`.
  public func multiply(_ x: Variable, _ weight: Variable) -> Variable {
    let output = matrix(rows: x.rows, columns: weight.columns)
    BLAS.multiply(.init(x.value), .init(weight.value), into: .init(output))
    return record(output, from: x, weight) { [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        BLAS.multiply(
          .init(gradient), .init(weight.value), transposeB: true, into: .init(target),
          beta: isFirst ? 0 : 1)
      }
      accumulate(into: weight) { target, isFirst in
        BLAS.multiply(
          .init(x.value), transposeA: true, .init(gradient), into: .init(target),
          beta: isFirst ? 0 : 1)
      }
    }
  }
}

/// The bias of the linear maps above.
extension Tape {
  /// Overwrites every row of a matrix with a scaled bias, `[1, out]`.
  func broadcast(_ bias: Variable, scaledBy scale: Float, into output: Matrix) {
    guard output.rows > 0 else { return }
    for column in 0..<output.columns {
      output.pointer[column] = scale * bias.value.pointer[column]
    }
    let first = output.pointer
    Lanes.current.forEachRange(of: output.rows - 1, elements: output.columns) { rows in
      for row in rows {
        (first + (row + 1) * output.columns).update(from: first, count: output.columns)
      }
    }
  }

  /// The adjoint of ``broadcast(_:scaledBy:into:)``.
  func accumulateColumnSums(of gradient: Matrix, scaledBy scale: Float, into bias: Variable) {
    scatter(into: bias) { target in
      for row in 0..<gradient.rows {
        BLAS.accumulate(
          gradient.pointer + row * gradient.columns, scaledBy: scale, into: target.pointer,
          count: gradient.columns)
      }
    }
  }
}
