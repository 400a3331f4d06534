internal import Foundation
internal import Tensors

extension Tape {
  /// `c · tanh(x / c)`: nearly x for |x| ≪ c, never beyond ±c.
  public func tanhCap(_ x: Variable, _ cap: Float) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    for index in 0..<output.count {
      output.pointer[index] = cap * tanh(x.value.pointer[index] / cap)
    }
    return record(output, from: x) { [self] gradient in
      accumulate(into: x) { target, isFirst in
        for index in 0..<target.count {
          let ratio = output.pointer[index] / cap
          let share = gradient.pointer[index] * (1 - ratio * ratio)
          target.pointer[index] = isFirst ? share : target.pointer[index] + share
        }
      }
    }
  }
}
