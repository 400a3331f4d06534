internal import CKernels
internal import Tensors

extension Tape {
  /// `x` where it is positive, else `slope · x`.
  ///
  /// - Parameter slope: in `0 ... 1`.
  /// - Returns: same shape as `x`; `dx = g` where `x > 0`, else `slope · g`.
  /// - Source: Maas, Hannun and Ng 2013; the default slope is PyTorch's.
  public func leakyReLU(_ x: Variable, slope: Float = 0.01) -> Variable {
    precondition(slope >= 0 && slope <= 1, "leakyReLU: slope \(slope)")
    let output = matrix(rows: x.rows, columns: x.columns)
    mrdib_leaky_relu(x.value.pointer, slope, output.pointer, output.count)
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        mrdib_leaky_relu_adjoint(
          x.value.pointer, slope, gradient.pointer, target.pointer, target.count, isFirst ? 0 : 1)
      }
    }
  }
}
