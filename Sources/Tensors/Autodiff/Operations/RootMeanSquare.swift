extension Tape {
  /// The root mean square of two matrices of one shape, element by element:
  ///
  ///     f = √((x² + y²) / 2 + 1e-8)
  ///
  /// - Returns: the shape of `x`; `dx = g ⊙ x / 2f`, `dy = g ⊙ y / 2f`.
  /// - Precondition: equal shapes.
  /// - Source: the early fusion of COHESION, as in Jinfeng-Xu/COHESION 3fccdaf.
  public func rootMeanSquare(_ x: Variable, _ y: Variable) -> Variable {
    precondition(
      x.value.hasSameShape(as: y.value), "rootMeanSquare of \(x.value.shape), \(y.value.shape)")
    let output = matrix(rows: x.rows, columns: x.columns)
    Lanes.current.forEachRange(of: output.count, elements: 4) { range in
      for index in range {
        let (left, right) = (x.value.pointer[index], y.value.pointer[index])
        output.pointer[index] = ((left * left + right * right) / 2 + 1e-8).squareRoot()
      }
    }
    return record(output, from: x, y) { [unowned self] gradient in
      for variable in [x, y] {
        accumulate(into: variable, elements: 4) { target, range, isFirst in
          for index in range {
            let share =
              gradient.pointer[index] * variable.value.pointer[index]
              / (2 * output.pointer[index])
            target.pointer[index] = isFirst ? share : target.pointer[index] + share
          }
        }
      }
    }
  }
}
