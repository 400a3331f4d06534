internal import CKernels

/// Which rows choose, among which other rows, and what each of them chose.
public struct CandidateChoice: Sendable, Equatable {
  /// `[n]`: rows of the first matrix, such as users; a row may occur several times.
  public let anchors: [Int32]
  /// `[C]`: rows of the second matrix that are on offer to all anchors, such as items; each once.
  public let candidates: [Int32]
  /// `[n]`: anchor k chose row `candidates[chosen[k]]`.
  public let chosen: [Int32]

  /// - Precondition: as many anchors as choices.
  public init(anchors: [Int32], candidates: [Int32], chosen: [Int32]) {
    precondition(
      anchors.count == chosen.count, "\(anchors.count) anchors, \(chosen.count) choices")
    self.anchors = anchors
    self.candidates = candidates
    self.chosen = chosen
  }
}

extension Tape {
  /// The negative log-likelihood of choices among candidates, times a constant.
  ///
  ///     scale · Σ_k [ ln Σ_c e^{⟨a_k, b_c⟩/τ} − ⟨a_k, b_chosen(k)⟩/τ ]
  ///
  /// a and b are the rows of x and y scaled to unit length, as ``rowL2(_:)`` does. The chosen
  /// candidate is in the sum, and no other candidate is removed from it.
  ///
  /// - Parameters:
  ///   - x: `[J, D]`; anchors are rows of it.
  ///   - y: `[K, D]`; candidates are rows of it.
  ///   - temperature: τ.
  ///   - scale: 1 / n for the mean over anchors.
  /// - Returns: `[1, 1]`, nats; 0 without anchors. With p the soft-max over candidates:
  ///   `da_k = scale/τ (Σ_c p_kc b_c − b_chosen(k))`, `db_c = scale/τ Σ_k (p_kc − [c chosen]) a_k`.
  /// - Complexity: three products of O(n C D), one `[n, C]` temporary.
  /// - Source: a sampled soft-max; with unit rows and a temperature it is InfoNCE, van den Oord et
  ///   al. 2018, arXiv:1807.03748, eq. 4.
  public func candidateLoss(
    _ x: Variable, _ y: Variable, choice: CandidateChoice, temperature: Float, scale: Float
  ) -> Variable {
    precondition(x.columns == y.columns, "candidateLoss of \(x.value.shape) and \(y.value.shape)")
    let (count, ways) = (choice.anchors.count, choice.candidates.count)
    guard count > 0 else { return constant(scalar(0)) }
    let a = UnitRows(on: self, x, choice.anchors)
    let b = UnitRows(on: self, y, choice.candidates)
    // First logits, then the soft-max, then the soft-max minus 1 at the choice.
    let weights = matrix(rows: count, columns: ways)
    BLAS.multiply(
      .init(a.vectors), .init(b.vectors), transposeB: true, into: .init(weights),
      alpha: 1 / temperature)
    let places = choice.chosen.enumerated().map { $0.offset * ways + Int($0.element) }
    var total = 0.0
    for place in places { total -= Double(weights.pointer[place]) }
    for logSum in softmaxRows(weights) { total += logSum }
    for place in places { weights.pointer[place] -= 1 }
    return record(scalar(Float(total * Double(scale))), from: x, y) { [unowned self] gradient in
      let factor = gradient.pointer[0] * scale / temperature
      if x.needsGradient {
        let share = matrix(rows: count, columns: x.columns)
        BLAS.multiply(.init(weights), .init(b.vectors), into: .init(share), alpha: factor)
        a.addGradient(share, to: x, on: self)
      }
      if y.needsGradient {
        let share = matrix(rows: ways, columns: y.columns)
        BLAS.multiply(
          .init(weights), transposeA: true, .init(a.vectors), into: .init(share), alpha: factor)
        b.addGradient(share, to: y, on: self)
      }
    }
  }

  /// Turns logits into soft-max weights row by row, in place, and returns the logarithms of the
  /// rows' sums.
  func softmaxRows(_ logits: Matrix) -> [Double] {
    let (rows, columns) = (logits.rows, logits.columns)
    return [Double](unsafeUninitializedCapacity: rows) { buffer, initialized in
      if let sums = buffer.baseAddress {
        Lanes.current.forEachRange(of: rows, elements: 4 * columns) { range in
          mrdib_softmax_rows(
            logits.pointer + range.lowerBound * columns, range.count, columns,
            sums + range.lowerBound)
        }
      }
      initialized = rows
    }
  }
}

/// Some rows of a variable, scaled to unit length: `x / max(‖x‖₂, 1e-12)`.
private struct UnitRows {
  /// `[indices.count, D]`.
  let vectors: Matrix
  private let inverseNorms: Matrix
  private let indices: [Int32]

  init(on tape: Tape, _ x: Variable, _ indices: [Int32]) {
    let width = x.columns
    let vectors = tape.matrix(rows: indices.count, columns: width)
    let inverseNorms = tape.matrix(rows: indices.count, columns: 1)
    Lanes.current.forEachRange(of: indices.count, elements: 2 * width) { rows in
      for row in rows {
        let source = x.value.pointer + Int(indices[row]) * width
        let target = vectors.pointer + row * width
        let inverse = 1 / max(BLAS.dot(source, source, count: width).squareRoot(), 1e-12)
        inverseNorms.pointer[row] = inverse
        for column in 0..<width { target[column] = source[column] * inverse }
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
    tape.scatter(into: x, rows: indices) { position, target in
      let (unit, g) = (
        vectors.pointer + position * width, gradient.pointer + position * width
      )
      let inverse = inverseNorms.pointer[position]
      let along = BLAS.dot(unit, g, count: width)
      BLAS.accumulate(g, scaledBy: inverse, into: target, count: width)
      BLAS.accumulate(unit, scaledBy: -along * inverse, into: target, count: width)
    }
  }
}
