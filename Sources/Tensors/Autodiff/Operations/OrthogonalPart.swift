extension Tape {
  /// The part of each row that is orthogonal to a row of another matrix.
  ///
  ///     y = x − c z,  c = ⟨x, z⟩ / n,  n = ‖z‖² + ε      (row by row)
  ///
  /// - Parameters:
  ///   - x: `[J, D]`.
  ///   - z: what is removed, `[J, D]`.
  ///   - epsilon: ε; a row of zeros removes nothing.
  /// - Returns: `[J, D]`. With p = ⟨g, z⟩ / n: `dx = g − p z`, `dz = −c g − p x + 2 c p z`.
  /// - Precondition: equal shapes.
  public func orthogonalPart(
    of x: Variable, to z: Variable, epsilon: Float = 1e-8
  ) -> Variable {
    precondition(
      x.value.hasSameShape(as: z.value),
      "orthogonalPart of \(x.value.shape) and \(z.value.shape)")
    let width = x.columns
    let output = matrix(rows: x.rows, columns: width)
    let coefficients = matrix(rows: x.rows, columns: 1)  // c
    let inverses = matrix(rows: x.rows, columns: 1)  // 1 / n
    Lanes.current.forEachRange(of: x.rows, elements: 4 * width) { rows in
      for row in rows {
        let (own, removed) = (x.value.pointer + row * width, z.value.pointer + row * width)
        let inverse = 1 / (BLAS.dot(removed, removed, count: width) + epsilon)
        let coefficient = BLAS.dot(own, removed, count: width) * inverse
        inverses.pointer[row] = inverse
        coefficients.pointer[row] = coefficient
        for column in 0..<width {
          output.pointer[row * width + column] = own[column] - coefficient * removed[column]
        }
      }
    }
    return record(output, from: x, z) { [unowned self] gradient in
      accumulate(into: x, rowsCosting: 3 * width) { target, rows, isFirst in
        for row in rows {
          let (g, removed) = (gradient.pointer + row * width, z.value.pointer + row * width)
          let along = BLAS.dot(g, removed, count: width) * inverses.pointer[row]
          let destination = target.pointer + row * width
          for column in 0..<width {
            let share = g[column] - along * removed[column]
            destination[column] = isFirst ? share : destination[column] + share
          }
        }
      }
      accumulate(into: z, rowsCosting: 4 * width) { target, rows, isFirst in
        for row in rows {
          let (g, removed) = (gradient.pointer + row * width, z.value.pointer + row * width)
          let own = x.value.pointer + row * width
          let along = BLAS.dot(g, removed, count: width) * inverses.pointer[row]
          let coefficient = coefficients.pointer[row]
          let destination = target.pointer + row * width
          for column in 0..<width {
            let share =
              2 * coefficient * along * removed[column] - coefficient * g[column]
              - along * own[column]
            destination[column] = isFirst ? share : destination[column] + share
          }
        }
      }
    }
  }
}
