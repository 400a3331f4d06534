internal import CKernels

/// Some rows of a variable, scaled to unit length: `x / max(‖x‖₂, 1e-12)`.
struct UnitRows {
  /// `[indices.count, D]`.
  let vectors: Matrix
  private let inverseNorms: Matrix
  private let indices: [Int32]

  /// - Parameter indices: rows of x; they may repeat.
  init(on tape: Tape, _ x: Variable, _ indices: [Int32]) {
    let width = x.columns
    let vectors = tape.matrix(rows: indices.count, columns: width)
    let inverseNorms = tape.matrix(rows: indices.count, columns: 1)
    indices.withUnsafeBufferPointer { indices in
      guard let listed = indices.baseAddress else { return }
      Lanes.current.forEachRange(of: indices.count, elements: 2 * width) { range in
        mrdib_unit_rows(
          x.value.pointer, listed + range.lowerBound, range.count, width,
          vectors.pointer + range.lowerBound * width, inverseNorms.pointer + range.lowerBound)
      }
    }
    self.vectors = vectors
    self.inverseNorms = inverseNorms
    self.indices = indices
  }

  /// Adds what a gradient of the unit rows is for the rows that they were made of: its part across
  /// each row, divided by the row's norm.
  func addGradient(_ gradient: Matrix, to x: Variable, on tape: Tape) {
    let width = x.columns
    tape.accumulate(into: x, onlyRows: indices) { target in
      indices.withUnsafeBufferPointer { indices in
        // Lanes have target rows of their own; see scatter(into:rows:_:).
        Lanes.current.forEachRange(
          of: target.rows, elements: 3 * indices.count * width / max(1, target.rows)
        ) { rows in
          mrdib_unit_rows_adjoint(
            vectors.pointer, inverseNorms.pointer, gradient.pointer, indices.baseAddress,
            indices.count, Int32(truncatingIfNeeded: rows.lowerBound),
            Int32(truncatingIfNeeded: rows.upperBound), width, target.pointer)
        }
      }
    }
  }
}
