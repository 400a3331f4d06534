internal import CKernels
internal import Tensors

extension Tape {
  /// `c · tanh(x / c)`: nearly x for |x| ≪ c, never beyond ±c.
  public func tanhCap(_ x: Variable, _ cap: Float) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    mrdib_tanh_cap(x.value.pointer, cap, output.pointer, output.count)
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        mrdib_tanh_cap_adjoint(
          output.pointer, cap, gradient.pointer, target.pointer, target.count, isFirst ? 0 : 1)
      }
    }
  }
}
