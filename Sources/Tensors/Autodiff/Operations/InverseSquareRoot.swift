extension Tape {
  /// `1 / √x` of every element, and 0 where an element is not positive.
  ///
  /// - Returns: the shape of `x`; `dx = −g y³ / 2`.
  public func inverseSquareRoot(_ x: Variable) -> Variable {
    let output = matrix(rows: x.rows, columns: x.columns)
    Lanes.current.forEachRange(of: output.count, elements: 4) { range in
      for index in range {
        let value = x.value.pointer[index]
        output.pointer[index] = value > 0 ? 1 / value.squareRoot() : 0
      }
    }
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x, elements: 4) { target, range, isFirst in
        for index in range {
          let y = output.pointer[index]
          let share = -gradient.pointer[index] * y * y * y / 2
          target.pointer[index] = isFirst ? share : target.pointer[index] + share
        }
      }
    }
  }
}
