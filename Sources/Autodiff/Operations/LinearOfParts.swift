internal import Tensors

extension Tape {
  /// `y = [x₁ | x₂ | …] · Wᵀ + b` without putting the parts side by side.
  ///
  /// - Parameters:
  ///   - parts: `[J, F_k]`; the weight's columns belong to them in this order.
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
      "linear: \(ranges.last?.upperBound ?? 0) columns meet a weight of \(weight.value.shape)")
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
