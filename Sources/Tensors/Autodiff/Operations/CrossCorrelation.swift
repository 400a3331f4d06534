extension Tape {
  /// The sum of squared correlations between the columns of two matrices: a measure of linear
  /// redundancy that needs no discriminator.
  ///
  ///     C = X̃ᵀ Ỹ / J,  L = Σ C²,  columns of X̃, Ỹ centred and divided by their population
  ///     standard deviation (no ε; a constant column counts 0)
  ///
  /// - Returns: `[1, 1]`, dimensionless, in `0 ... D²`.
  public func squaredCrossCorrelation(_ x: Variable, _ y: Variable) -> Variable {
    let left = standardizeColumns(x)
    let right = standardizeColumns(y)
    let count = Float(max(1, x.rows))
    let correlation = matrix(rows: x.columns, columns: y.columns)
    BLAS.multiply(
      .init(left.value), transposeA: true, .init(right.value), into: .init(correlation),
      alpha: 1 / count)
    var total = 0.0
    for element in correlation.elements { total += Double(element) * Double(element) }
    return record(scalar(Float(total)), from: left, right) { [unowned self] gradient in
      let factor = 2 * gradient.pointer[0] / count
      accumulate(into: left) { target, isFirst in
        BLAS.multiply(
          .init(right.value), .init(correlation), transposeB: true, into: .init(target),
          alpha: factor, beta: isFirst ? 0 : 1)
      }
      accumulate(into: right) { target, isFirst in
        BLAS.multiply(
          .init(left.value), .init(correlation), into: .init(target), alpha: factor,
          beta: isFirst ? 0 : 1)
      }
    }
  }

  /// Columns with mean 0 and population standard deviation 1; a constant column becomes 0.
  public func standardizeColumns(_ x: Variable) -> Variable {
    let (rows, width) = (x.rows, x.columns)
    let output = matrix(rows: rows, columns: width)
    var inverse = [Float](repeating: 0, count: width)
    for column in 0..<width {
      var mean = 0.0
      for row in 0..<rows { mean += Double(x.value.pointer[row * width + column]) }
      mean /= Double(max(1, rows))
      var variance = 0.0
      for row in 0..<rows {
        let difference = Double(x.value.pointer[row * width + column]) - mean
        variance += difference * difference
      }
      variance /= Double(max(1, rows))
      inverse[column] = variance > 0 ? Float(1 / variance.squareRoot()) : 0
      for row in 0..<rows {
        let index = row * width + column
        output.pointer[index] = Float(Double(x.value.pointer[index]) - mean) * inverse[column]
      }
    }
    return record(output, from: x) { [unowned self] gradient in
      scatter(into: x) { target in
        for column in 0..<width {
          var meanGradient = 0.0
          var along = 0.0
          for row in 0..<rows {
            let index = row * width + column
            meanGradient += Double(gradient.pointer[index])
            along += Double(gradient.pointer[index]) * Double(output.pointer[index])
          }
          meanGradient /= Double(max(1, rows))
          along /= Double(max(1, rows))
          for row in 0..<rows {
            let index = row * width + column
            let centred =
              Double(gradient.pointer[index]) - meanGradient
              - Double(output.pointer[index]) * along
            target.pointer[index] += inverse[column] * Float(centred)
          }
        }
      }
    }
  }
}
