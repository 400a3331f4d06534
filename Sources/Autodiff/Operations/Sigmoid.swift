internal import CKernels
internal import Tensors

extension Tape {
  /// The logistic function `1 / (1 + e^{−x})` of every element; `dx = g ⊙ y ⊙ (1 − y)`.
  public func sigmoid(_ x: Variable) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    mrdib_sigmoid(x.value.pointer, output.pointer, output.count)
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        mrdib_sigmoid_adjoint(
          output.pointer, gradient.pointer, target.pointer, target.count, isFirst ? 0 : 1)
      }
    }
  }
}
