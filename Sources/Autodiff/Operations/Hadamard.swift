internal import Tensors

extension Tape {
  /// The element-wise product `x ⊙ y` of two matrices of one shape; `dx = g ⊙ y`, `dy = g ⊙ x`.
  ///
  /// - Precondition: equal shapes.
  public func hadamard(_ x: Variable, _ y: Variable) -> Variable {
    precondition(
      x.value.hasSameShape(as: y.value), "hadamard of \(x.value.shape) and \(y.value.shape)")
    let output = matrix(rows: x.rows, columns: x.columns)
    for index in 0..<output.count {
      output.pointer[index] = x.value.pointer[index] * y.value.pointer[index]
    }
    return record(output, from: x, y) { [unowned self] gradient in
      for (variable, other) in [(x, y), (y, x)] {
        accumulate(into: variable) { target, isFirst in
          for index in 0..<target.count {
            let share = gradient.pointer[index] * other.value.pointer[index]
            target.pointer[index] = isFirst ? share : target.pointer[index] + share
          }
        }
      }
    }
  }
}
