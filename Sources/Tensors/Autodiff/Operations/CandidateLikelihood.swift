internal import CKernels

/// Which rows choose, among which other rows, and what each of them chose.
///
/// Anchors come in groups that have candidates of their own: the cost is the sum over groups of
/// anchors times candidates.
public struct CandidateChoice: Sendable, Equatable {
  /// Consecutive anchors that choose among the same candidates.
  public struct Group: Sendable, Equatable {
    /// Positions in ``CandidateChoice/anchors``.
    public let anchors: Range<Int>
    /// Positions in ``CandidateChoice/candidates``.
    public let candidates: Range<Int>

    public init(anchors: Range<Int>, candidates: Range<Int>) {
      self.anchors = anchors
      self.candidates = candidates
    }
  }

  /// `[n]`: rows of the first matrix, such as users; a row may occur several times.
  public let anchors: [Int32]
  /// Rows of the second matrix that are on offer, such as items, group after group; each once in a
  /// group.
  public let candidates: [Int32]
  /// `[n]`: anchor k chose row `candidates[chosen[k]]`, which is one of its group's.
  public let chosen: [Int32]
  /// In order, so that they cover all anchors and candidates.
  public let groups: [Group]

  /// - Precondition: as many anchors as choices, and every choice is among its group's candidates.
  public init(anchors: [Int32], candidates: [Int32], chosen: [Int32], groups: [Group]) {
    precondition(
      anchors.count == chosen.count
        && anchors.count == groups.reduce(0) { $0 + $1.anchors.count }
        && candidates.count == groups.reduce(0) { $0 + $1.candidates.count }
        && groups.allSatisfy { group in
          group.anchors.allSatisfy { group.candidates.contains(Int(chosen[$0])) }
        },
      "\(anchors.count) anchors, \(chosen.count) choices, \(groups.count) groups")
    self.anchors = anchors
    self.candidates = candidates
    self.chosen = chosen
    self.groups = groups
  }
}

extension Tape {
  /// The negative log-likelihood of choices among candidates, times a constant.
  ///
  ///     scale · Σ_k [ ln Σ_c e^{⟨a_k, b_c⟩/τ} − ⟨a_k, b_chosen(k)⟩/τ ]
  ///
  /// with c over the candidates of k's group. a and b are the rows of x and y scaled to unit
  /// length, as ``rowL2(_:)`` does. The chosen candidate is in the sum, and no other candidate is
  /// removed from it.
  ///
  /// - Parameters:
  ///   - x: `[J, D]`; anchors are rows of it.
  ///   - y: `[K, D]`; candidates are rows of it.
  ///   - temperature: τ.
  ///   - scale: 1 / n for the mean over anchors.
  /// - Returns: `[1, 1]`, nats; 0 without anchors. With p the soft-max over a group's candidates:
  ///   `da_k = scale/τ (Σ_c p_kc b_c − b_chosen(k))`, `db_c = scale/τ Σ_k (p_kc − [c chosen]) a_k`.
  /// - Complexity: three products of O(anchors · candidates · D) per group, one number per anchor
  ///   and candidate of a group.
  /// - Source: a sampled soft-max; with unit rows and a temperature it is InfoNCE, van den Oord et
  ///   al. 2018, arXiv:1807.03748, eq. 4.
  public func candidateLoss(
    _ x: Variable, _ y: Variable, choice: CandidateChoice, temperature: Float, scale: Float
  ) -> Variable {
    precondition(x.columns == y.columns, "candidateLoss of \(x.value.shape) and \(y.value.shape)")
    guard !choice.anchors.isEmpty else { return constant(scalar(0)) }
    let a = UnitRows(on: self, x, choice.anchors)
    let b = UnitRows(on: self, y, choice.candidates)
    // First logits, then the soft-max, then the soft-max minus 1 at the choice.
    let weights = choice.groups.map {
      matrix(rows: $0.anchors.count, columns: $0.candidates.count)
    }
    var losses = [Double](repeating: 0, count: choice.groups.count)
    losses.withUnsafeMutableBufferPointer { losses in
      let losses = losses
      Lanes.current.forEach(choice.groups.count) { index, _ in
        let (group, weights) = (choice.groups[index], weights[index])
        BLAS.multiply(
          BLAS.Block(a.vectors).rows(group.anchors), BLAS.Block(b.vectors).rows(group.candidates),
          transposeB: true, into: .init(weights), alpha: 1 / temperature)
        let places = group.anchors.map { anchor in
          (anchor - group.anchors.lowerBound) * weights.columns + Int(choice.chosen[anchor])
            - group.candidates.lowerBound
        }
        var loss = 0.0
        for place in places { loss -= Double(weights.pointer[place]) }
        for logSum in softmaxRows(weights) { loss += logSum }
        for place in places { weights.pointer[place] -= 1 }
        losses[index] = loss
      }
    }
    let total = losses.reduce(0, +)
    return record(scalar(Float(total * Double(scale))), from: x, y) { [unowned self] gradient in
      let factor = gradient.pointer[0] * scale / temperature
      let ofA = matrix(rows: choice.anchors.count, columns: x.columns)
      let ofB = matrix(rows: choice.candidates.count, columns: y.columns)
      Lanes.current.forEach(choice.groups.count) { index, _ in
        let (group, weights) = (choice.groups[index], BLAS.Block(weights[index]))
        BLAS.multiply(
          weights, BLAS.Block(b.vectors).rows(group.candidates),
          into: BLAS.Block(ofA).rows(group.anchors), alpha: factor)
        BLAS.multiply(
          weights, transposeA: true, BLAS.Block(a.vectors).rows(group.anchors),
          into: BLAS.Block(ofB).rows(group.candidates), alpha: factor)
      }
      a.addGradient(ofA, to: x, on: self)
      b.addGradient(ofB, to: y, on: self)
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
