internal import Foundation
internal import Tensors

extension Tape {
  /// The logistic function `1 / (1 + e^{−x})` of every element; `dx = g ⊙ y ⊙ (1 − y)`.
  public func sigmoid(_ x: Variable) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    for index in 0..<output.count {
      let small = exp(-abs(x.value.pointer[index]))  // at most 1: never overflows
      output.pointer[index] = (x.value.pointer[index] >= 0 ? 1 : small) / (1 + small)
    }
    return record(output, from: x) { [self] gradient in
      accumulate(into: x) { target, isFirst in
        for index in 0..<target.count {
          let y = output.pointer[index]
          let share = gradient.pointer[index] * y * (1 - y)
          target.pointer[index] = isFirst ? share : target.pointer[index] + share
        }
      }
    }
  }
}
