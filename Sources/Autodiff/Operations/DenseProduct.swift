internal import Tensors

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
