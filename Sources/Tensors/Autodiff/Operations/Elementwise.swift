internal import CKernels

extension Tape {
  /// `Σ scale_i · x_i` over matrices of one shape.
  ///
  /// - Precondition: at least one term; equal shapes.
  public func sum(_ terms: [(variable: Variable, scale: Float)]) -> Variable {
    precondition(!terms.isEmpty, "sum of no terms")
    let output = matrix(rows: terms[0].variable.rows, columns: terms[0].variable.columns)
    for (variable, _) in terms {
      precondition(variable.value.hasSameShape(as: output), "sum of different shapes")
    }
    Lanes.current.forEachRange(of: output.count) { range in
      for (position, (variable, scale)) in terms.enumerated() {
        add(variable.value, scaledBy: scale, to: output, range, isFirst: position == 0)
      }
    }
    return record(output, from: terms.map(\.variable)) { [unowned self] gradient in
      for (variable, scale) in terms {
        accumulate(into: variable, elements: 1) { target, range, isFirst in
          add(gradient, scaledBy: scale, to: target, range, isFirst: isFirst)
        }
      }
    }
  }

  /// Adds some elements of a matrix to another, or overwrites them.
  func add(
    _ source: Matrix, scaledBy scale: Float = 1, to target: Matrix, _ range: Range<Int>,
    isFirst: Bool
  ) {
    let (source, target) = (source.pointer + range.lowerBound, target.pointer + range.lowerBound)
    if !isFirst {
      BLAS.accumulate(source, scaledBy: scale, into: target, count: range.count)
    } else if scale == 1 {
      target.update(from: source, count: range.count)
    } else {
      mrdib_scaled_copy(source, scale, target, range.count)
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
      accumulate(into: x, elements: 1) { target, range, isFirst in
        for index in range {
          target.pointer[index] = (isFirst ? 0 : target.pointer[index]) + share
        }
      }
    }
  }

  /// `max(x, 0)`.
  public func relu(_ x: Variable) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    map(x, to: output) { mrdib_relu($0, $1, $2) }
    return record(output, from: x) { [unowned self] gradient in
      mapAdjoint(x, from: x.value, gradient) { mrdib_relu_adjoint($0, $1, $2, $3, $4) }
    }
  }

  /// `min(max(x, lower), upper)`; the gradient outside the range is 0.
  public func clamp(_ x: Variable, _ lower: Float, _ upper: Float) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    map(x, to: output) { mrdib_clamp($0, lower, upper, $1, $2) }
    return record(output, from: x) { [unowned self] gradient in
      mapAdjoint(x, from: x.value, gradient) {
        mrdib_clamp_adjoint($0, lower, upper, $1, $2, $3, $4)
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
    Lanes.current.forEachRange(of: output.count) { range in
      for index in range {
        output.pointer[index] = x.value.pointer[index] * y.value.pointer[index]
      }
    }
    return record(output, from: x, y) { [unowned self] gradient in
      for (variable, other) in [(x, y), (y, x)] {
        accumulate(into: variable, elements: 1) { target, range, isFirst in
          for index in range {
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
    map(x, to: output) { mrdib_sigmoid($0, $1, $2) }
    return record(output, from: x) { [unowned self] gradient in
      mapAdjoint(x, from: output, gradient) { mrdib_sigmoid_adjoint($0, $1, $2, $3, $4) }
    }
  }
}

extension Tape {
  /// `c · tanh(x / c)`: nearly x for |x| ≪ c, never beyond ±c.
  public func tanhCap(_ x: Variable, _ cap: Float) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    map(x, to: output) { mrdib_tanh_cap($0, cap, $1, $2) }
    return record(output, from: x) { [unowned self] gradient in
      mapAdjoint(x, from: output, gradient) { mrdib_tanh_cap_adjoint($0, cap, $1, $2, $3, $4) }
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
    map(x, to: output) { mrdib_leaky_relu($0, slope, $1, $2) }
    return record(output, from: x) { [unowned self] gradient in
      mapAdjoint(x, from: x.value, gradient) {
        mrdib_leaky_relu_adjoint($0, slope, $1, $2, $3, $4)
      }
    }
  }
}

/// Kernels over elements, on all lanes.
extension Tape {
  /// `kernel(x, y, count)` over all elements.
  private func map(
    _ x: Variable, to output: Matrix,
    _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) {
    Lanes.current.forEachRange(of: output.count) { range in
      kernel(
        x.value.pointer + range.lowerBound, output.pointer + range.lowerBound, range.count)
    }
  }

  /// `kernel(x or y, gradient, target, count, adds)` over all elements.
  private func mapAdjoint(
    _ x: Variable, from source: Matrix, _ gradient: Matrix,
    _ kernel: (
      UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int, Int32
    ) -> Void
  ) {
    accumulate(into: x, elements: 1) { target, range, isFirst in
      let start = range.lowerBound
      kernel(
        source.pointer + start, gradient.pointer + start, target.pointer + start, range.count,
        isFirst ? 0 : 1)
    }
  }
}
