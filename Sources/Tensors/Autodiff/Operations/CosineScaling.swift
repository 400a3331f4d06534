extension Tape {
  /// Rows multiplied by their cosine with the same row of another matrix:
  ///
  ///     y_r = c_r x_r,  c_r = ⟨x_r, a_r⟩ / (max(‖x_r‖, ε) max(‖a_r‖, ε)),  ε = 1e-8
  ///
  /// - Parameters:
  ///   - x: `[J, D]`.
  ///   - anchor: a, `[J, D]`.
  /// - Returns: `[J, D]`; a row of zeros stays zero. With h = ⟨g_r, x_r⟩ the gradients are
  ///   `dx = c g + h (a/(‖x‖‖a‖) − c x/‖x‖²)` and `da = h (x/(‖x‖‖a‖) − c a/‖a‖²)`; the second
  ///   summand in brackets is left out where ε replaces the norm.
  /// - Source: the layers of COHESION, as in Jinfeng-Xu/COHESION 3fccdaf.
  public func scaledByCosine(_ x: Variable, with anchor: Variable) -> Variable {
    precondition(
      x.value.hasSameShape(as: anchor.value),
      "scaledByCosine of \(x.value.shape) and \(anchor.value.shape)")
    let width = x.columns
    let output = matrix(rows: x.rows, columns: width)
    // Per row the cosine and the inverse norms of x and a.
    let factors = matrix(rows: x.rows, columns: 3)
    Lanes.current.forEachRange(of: x.rows, elements: 4 * width) { rows in
      for row in rows {
        let (own, other) = (x.value.pointer + row * width, anchor.value.pointer + row * width)
        let factor = factors.pointer + 3 * row
        factor[1] = 1 / max(BLAS.dot(own, own, count: width).squareRoot(), Self.smallestNorm)
        factor[2] = 1 / max(BLAS.dot(other, other, count: width).squareRoot(), Self.smallestNorm)
        factor[0] = BLAS.dot(own, other, count: width) * factor[1] * factor[2]
        for column in 0..<width { output.pointer[row * width + column] = factor[0] * own[column] }
      }
    }
    return record(output, from: x, anchor) { [unowned self] gradient in
      for (variable, other, norm) in [(x, anchor, 1), (anchor, x, 2)] {
        accumulate(into: variable, rowsCosting: 5 * width) { target, rows, isFirst in
          for row in rows {
            let start = row * width
            let factor = factors.pointer + 3 * row
            let g = gradient.pointer + start
            let along = BLAS.dot(g, x.value.pointer + start, count: width)
            let isClamped = factor[norm] >= 1 / Self.smallestNorm
            let across = along * factor[1] * factor[2]
            let inward = isClamped ? 0 : along * factor[0] * factor[norm] * factor[norm]
            let direct = norm == 1 ? factor[0] : 0
            for column in 0..<width {
              let share =
                direct * g[column] + across * other.value.pointer[start + column]
                - inward * variable.value.pointer[start + column]
              let index = start + column
              target.pointer[index] = isFirst ? share : target.pointer[index] + share
            }
          }
        }
      }
    }
  }

  /// ε of the cosine.
  private static var smallestNorm: Float { 1e-8 }
}
