internal import CKernels

extension Tape {
  /// `Σ scale_i · x_i` over matrices of one shape.
  ///
  /// - Precondition: at least one term; equal shapes.
  public func sum(_ terms: [(variable: Variable, scale: Float)]) -> Variable {
    precondition(!terms.isEmpty, "sum of no terms")
    let output = matrix(rows: terms[0].variable.rows, columns: terms[0].variable.columns)
    for (position, (variable, scale)) in terms.enumerated() {
      precondition(variable.value.hasSameShape(as: output), "sum of different shapes")
      add(variable.value, scaledBy: scale, to: output, isFirst: position == 0)
    }
    return record(output, from: terms.map(\.variable)) { [unowned self] gradient in
      for (variable, scale) in terms {
        accumulate(into: variable) { target, isFirst in
          add(gradient, scaledBy: scale, to: target, isFirst: isFirst)
        }
      }
    }
  }

  private func add(_ source: Matrix, scaledBy scale: Float, to target: Matrix, isFirst: Bool) {
    if isFirst {
      mrdib_scaled_copy(source.pointer, scale, target.pointer, source.count)
    } else {
      BLAS.accumulate(
        source.pointer, scaledBy: scale, into: target.pointer, count: source.count)
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
    return record(scalar(Float(total) / count), from: x) { [unowned self] gradient in
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
    mrdib_relu(x.value.pointer, output.pointer, output.count)
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        mrdib_relu_adjoint(
          x.value.pointer, gradient.pointer, target.pointer, target.count, isFirst ? 0 : 1)
      }
    }
  }

  /// `min(max(x, lower), upper)`; the gradient outside the range is 0.
  public func clamp(_ x: Variable, _ lower: Float, _ upper: Float) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    mrdib_clamp(x.value.pointer, lower, upper, output.pointer, output.count)
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        mrdib_clamp_adjoint(
          x.value.pointer, lower, upper, gradient.pointer, target.pointer, target.count,
          isFirst ? 0 : 1)
      }
    }
  }
}

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

extension Tape {
  /// `x` where it is positive, else `slope · x`.
  ///
  /// - Parameter slope: in `0 ... 1`.
  /// - Returns: same shape as `x`; `dx = g` where `x > 0`, else `slope · g`.
  /// - Source: Maas, Hannun and Ng 2013; the default slope is PyTorch's.
  public func leakyReLU(_ x: Variable, slope: Float = 0.01) -> Variable {
    precondition(slope >= 0 && slope <= 1, "leakyReLU: slope \(slope)")
    let output = matrix(rows: x.rows, columns: x.columns)
    mrdib_leaky_relu(x.value.pointer, slope, output.pointer, output.count)
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        mrdib_leaky_relu_adjoint(
          x.value.pointer, slope, gradient.pointer, target.pointer, target.count, isFirst ? 0 : 1)
      }
    }
  }
}
