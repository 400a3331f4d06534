extension Tape {
  /// Rows with mean 0 and variance 1, then scaled and shifted column by column.
  ///
  ///     y = x̂ ⊙ gain + shift,  x̂ = (x − mean(x)) / √(var(x) + ε)      (row by row)
  ///
  /// - Parameters:
  ///   - x: `[J, D]`.
  ///   - gain: `[1, D]`.
  ///   - shift: `[1, D]`.
  ///   - epsilon: ε, added to the variance of D numbers (divided by D, not D − 1).
  /// - Returns: `[J, D]`. With ĝ = g ⊙ gain:
  ///   `dx = (ĝ − mean(ĝ) − x̂ · mean(ĝ ⊙ x̂)) / √(var + ε)`, `dgain = Σ_rows g ⊙ x̂`,
  ///   `dshift = Σ_rows g`.
  /// - Numerics: means and variances in `Double`.
  /// - Source: Ba, Kiros and Hinton 2016, arXiv:1607.06450; the default ε is PyTorch's.
  public func layerNorm(
    _ x: Variable, gain: Variable, shift: Variable, epsilon: Double = 1e-5
  ) -> Variable {
    let width = x.columns
    precondition(
      gain.rows == 1 && gain.columns == width && shift.value.hasSameShape(as: gain.value),
      "layerNorm of \(x.value.shape) with \(gain.value.shape) and \(shift.value.shape)")
    let output = matrix(rows: x.rows, columns: width)
    let normalized = matrix(rows: x.rows, columns: width)  // x̂
    let inverse = matrix(rows: x.rows, columns: 1)  // 1 / √(var + ε)
    let (scale, offset) = (gain.value.pointer, shift.value.pointer)
    Lanes.current.forEachRange(of: x.rows, elements: 4 * width) { rows in
      for row in rows {
        let source = x.value.pointer + row * width
        let (mean, variance) = Self.moments(source, count: width)
        let factor = 1 / (variance + epsilon).squareRoot()
        inverse.pointer[row] = Float(factor)
        for column in 0..<width {
          let unit = Float((Double(source[column]) - mean) * factor)
          normalized.pointer[row * width + column] = unit
          output.pointer[row * width + column] = unit * scale[column] + offset[column]
        }
      }
    }
    return record(output, from: x, gain, shift) { [unowned self] gradient in
      accumulate(into: x, rowsCosting: 4 * width) { target, rows, isFirst in
        for row in rows {
          let unit = normalized.pointer + row * width
          let g = gradient.pointer + row * width
          var (mean, along) = (0.0, 0.0)
          for column in 0..<width {
            let scaled = Double(g[column] * scale[column])
            mean += scaled
            along += scaled * Double(unit[column])
          }
          let (shared, slope) = (Float(mean / Double(width)), Float(along / Double(width)))
          let destination = target.pointer + row * width
          for column in 0..<width {
            let own = g[column] * scale[column] - shared - unit[column] * slope
            let share = own * inverse.pointer[row]
            destination[column] = isFirst ? share : destination[column] + share
          }
        }
      }
      scatter(into: gain) { target in
        for index in 0..<gradient.count {
          target.pointer[index % width] += gradient.pointer[index] * normalized.pointer[index]
        }
      }
      accumulateColumnSums(of: gradient, scaledBy: 1, into: shift)
    }
  }

  /// Mean and variance of some numbers; the variance is divided by their count.
  private static func moments(
    _ values: UnsafePointer<Float>, count: Int
  ) -> (mean: Double, variance: Double) {
    var mean = 0.0
    for index in 0..<count { mean += Double(values[index]) }
    mean /= Double(count)
    var variance = 0.0
    for index in 0..<count {
      let difference = Double(values[index]) - mean
      variance += difference * difference
    }
    return (mean, variance / Double(count))
  }
}
