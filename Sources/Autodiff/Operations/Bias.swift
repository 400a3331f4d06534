internal import Tensors

/// What linear layers share.
extension Tape {
  /// Overwrites every row of a matrix with a scaled bias, `[1, out]`.
  func broadcast(_ bias: Variable, scaledBy scale: Float, into output: Matrix) {
    guard output.rows > 0 else { return }
    for column in 0..<output.columns {
      output.pointer[column] = scale * bias.value.pointer[column]
    }
    for row in 1..<output.rows {
      (output.pointer + row * output.columns).update(from: output.pointer, count: output.columns)
    }
  }

  /// The way back of ``broadcast(_:scaledBy:into:)``.
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
