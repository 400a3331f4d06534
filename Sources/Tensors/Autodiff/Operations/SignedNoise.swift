extension Tape {
  /// Noise that moves every element away from 0, with one length per row:
  ///
  ///     y = x + s · sign(x) ⊙ rowL2(ξ),  sign(0) = 0
  ///
  /// - Parameters:
  ///   - x: `[J, D]`.
  ///   - noise: ξ ≥ 0, `[J, D]`; no gradient flows to it.
  ///   - scale: s, the length of a row's noise.
  /// - Returns: `[J, D]`; `dx = g`.
  /// - Source: Yu et al. 2022, "Are graph augmentations necessary?", arXiv:2112.08679, eq. 8; as in
  ///   Jinfeng-Xu/MENTOR 1581d27.
  public func addingSignedNoise(_ x: Variable, _ noise: Matrix, scale: Float) -> Variable {
    precondition(x.value.hasSameShape(as: noise), "noise \(noise.shape) for \(x.value.shape)")
    let width = x.columns
    let output = matrix(rows: x.rows, columns: width)
    Lanes.current.forEachRange(of: x.rows, elements: 3 * width) { rows in
      for row in rows {
        let start = row * width
        let draws = noise.pointer + start
        let factor = scale / max(BLAS.dot(draws, draws, count: width).squareRoot(), 1e-12)
        for column in 0..<width {
          let value = x.value.pointer[start + column]
          let sign: Float = value > 0 ? 1 : value < 0 ? -1 : 0
          output.pointer[start + column] = value + sign * factor * draws[column]
        }
      }
    }
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x, elements: 1) { target, range, isFirst in
        add(gradient, to: target, range, isFirst: isFirst)
      }
    }
  }
}
