extension Tape {
  /// How far rows are from pointing where fixed targets point.
  ///
  ///     L = (1 / count) Σ_b ( 1 − cos(x[i_b], t[j_b]) )
  ///
  /// The targets are constants: no gradient reaches them.
  ///
  /// - Parameters:
  ///   - x: `[J, D]`.
  ///   - targets: t, `[K, D]`.
  ///   - xIndices: i, `[B]`; rows may repeat.
  ///   - targetIndices: j, `[B]`.
  ///   - count: what the sum is divided by: the entries of the whole step, so that shards add up.
  /// - Returns: `[1, 1]`. A row of zeros has the cosine 0 with everything.
  /// - Numerics: the sum in `Double`, in fixed ranges; see ``Lanes``.
  public func cosineLoss(
    _ x: Variable, _ xIndices: [Int32], targets: Variable, _ targetIndices: [Int32], count: Int
  ) -> Variable {
    precondition(x.columns == targets.columns, "cosineLoss of \(x.columns), \(targets.columns)")
    precondition(xIndices.count == targetIndices.count, "cosineLoss of unequal index counts")
    let width = x.columns
    let scale = 1 / Float(max(1, count))
    let own = UnitRows(on: self, x, xIndices)
    let goal = UnitRows(on: self, targets, targetIndices)
    let total = Lanes.current.sum(of: xIndices.count, elements: 2 * width) { rows in
      var total = 0.0
      for row in rows {
        let cosine = BLAS.dot(
          own.vectors.pointer + row * width, goal.vectors.pointer + row * width, count: width)
        total += 1 - Double(cosine)
      }
      return total
    }
    return record(scalar(Float(total) * scale), from: x) { [unowned self] gradient in
      let factor = -gradient.pointer[0] * scale
      let ofOwn = matrix(rows: xIndices.count, columns: width)
      Lanes.current.forEachRange(of: ofOwn.count) { range in
        for index in range { ofOwn.pointer[index] = factor * goal.vectors.pointer[index] }
      }
      own.addGradient(ofOwn, to: x, on: self)
    }
  }
}
