internal import Tensors

extension Tape {
  /// `Σ scale_i · x_i` over matrices of one shape.
  ///
  /// - Precondition: at least one term; equal shapes.
  public func sum(_ terms: [(variable: Variable, scale: Float)]) -> Variable {
    precondition(!terms.isEmpty, "sum of no terms")
    let output = matrix(rows: terms[0].variable.rows, columns: terms[0].variable.columns)
    output.fill(0)
    for (variable, scale) in terms {
      precondition(variable.value.hasSameShape(as: output), "sum of different shapes")
      BLAS.accumulate(
        variable.value.pointer, scaledBy: scale, into: output.pointer, count: output.count)
    }
    return record(output, from: terms.map(\.variable)) { [self] gradient in
      for (variable, scale) in terms {
        scatter(into: variable) { target in
          BLAS.accumulate(
            gradient.pointer, scaledBy: scale, into: target.pointer, count: target.count)
        }
      }
    }
  }

  /// `x + y`, equal shapes.
  public func add(_ x: Variable, _ y: Variable) -> Variable { sum([(x, 1), (y, 1)]) }

  /// `x − y`, equal shapes.
  public func subtract(_ x: Variable, _ y: Variable) -> Variable { sum([(x, 1), (y, -1)]) }

  /// The mean of all elements, `[1, 1]`.
  public func mean(_ x: Variable) -> Variable {
    var total = 0.0
    for element in x.value.elements { total += Double(element) }
    let count = Float(max(1, x.value.count))
    return record(scalar(Float(total) / count), from: x) { [self] gradient in
      let share = gradient.pointer[0] / count
      accumulate(into: x) { target, isFirst in
        for index in 0..<target.count {
          target.pointer[index] = (isFirst ? 0 : target.pointer[index]) + share
        }
      }
    }
  }

  /// `max(x, 0)`.
  public func relu(_ x: Variable) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    let source = x.value.pointer
    for index in 0..<output.count { output.pointer[index] = max(source[index], 0) }
    return record(output, from: x) { [self] gradient in
      accumulate(into: x) { target, isFirst in
        for index in 0..<target.count {
          let share = source[index] > 0 ? gradient.pointer[index] : 0
          target.pointer[index] = isFirst ? share : target.pointer[index] + share
        }
      }
    }
  }

  /// `min(max(x, lower), upper)`; the gradient outside the range is 0.
  public func clamp(_ x: Variable, _ lower: Float, _ upper: Float) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    let source = x.value.pointer
    for index in 0..<output.count {
      output.pointer[index] = min(max(source[index], lower), upper)
    }
    return record(output, from: x) { [self] gradient in
      accumulate(into: x) { target, isFirst in
        for index in 0..<target.count {
          let isInside = source[index] >= lower && source[index] <= upper
          let share = isInside ? gradient.pointer[index] : 0
          target.pointer[index] = isFirst ? share : target.pointer[index] + share
        }
      }
    }
  }
}
