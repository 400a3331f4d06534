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
    let (source, result) = (x.value.pointer, output.pointer)
    for index in 0..<output.count {
      let value = source[index]
      result[index] = value > 0 ? value : slope * value
    }
    return record(output, from: x) { [self] gradient in
      let upstream = gradient.pointer
      accumulate(into: x) { target, isFirst in
        let (destination, count) = (target.pointer, target.count)
        if isFirst {
          for index in 0..<count {
            destination[index] = upstream[index] * (source[index] > 0 ? 1 : slope)
          }
        } else {
          for index in 0..<count {
            destination[index] += upstream[index] * (source[index] > 0 ? 1 : slope)
          }
        }
      }
    }
  }
}
