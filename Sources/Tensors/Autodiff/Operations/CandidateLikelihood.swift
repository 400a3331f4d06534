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
  /// The rows that anchors are.
  let rows: AnchorRows

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
    rows = AnchorRows(anchors, groups)
  }
}

/// The anchors of each group without repetitions: rows that choose several times in a group have
/// the same soft-max over its candidates, which is computed once.
struct AnchorRows: Sendable, Equatable {
  /// Group after group, each row once in a group, in the order of its first anchor.
  private(set) var indices: [Int32] = []
  /// How many anchors of the group each of them is.
  private(set) var counts: [Float] = []
  /// The positions in `indices` of each group.
  private(set) var groups: [Range<Int>] = []
  /// `[n]`: anchor k is row `indices[positions[k]]`.
  private(set) var positions: [Int] = []

  init(_ anchors: [Int32], _ groups: [CandidateChoice.Group]) {
    positions.reserveCapacity(anchors.count)
    var found = [Int](repeating: -1, count: Int(anchors.max() ?? -1) + 1)
    for group in groups {
      let first = indices.count
      for anchor in anchors[group.anchors] {
        var position = found[Int(anchor)]
        if position < first {
          position = indices.count
          found[Int(anchor)] = position
          indices.append(anchor)
          counts.append(0)
        }
        counts[position] += 1
        positions.append(position)
      }
      self.groups.append(first..<indices.count)
    }
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
  ///   and candidate of a group. A row that is several of its anchors counts once.
  /// - Source: a sampled soft-max; with unit rows and a temperature it is InfoNCE, van den Oord et
  ///   al. 2018, arXiv:1807.03748, eq. 4.
  public func candidateLoss(
    _ x: Variable, _ y: Variable, choice: CandidateChoice, temperature: Float, scale: Float
  ) -> Variable {
    precondition(x.columns == y.columns, "candidateLoss of \(x.value.shape) and \(y.value.shape)")
    guard !choice.anchors.isEmpty else { return constant(scalar(0)) }
    let rows = choice.rows
    let a = UnitRows(on: self, x, rows.indices)
    let b = UnitRows(on: self, y, choice.candidates)
    // First logits, then the soft-max of each row times its number of anchors, then that minus 1 at
    // every choice.
    let weights = choice.groups.indices.map {
      matrix(rows: rows.groups[$0].count, columns: choice.groups[$0].candidates.count)
    }
    var losses = [Double](repeating: 0, count: choice.groups.count)
    losses.withUnsafeMutableBufferPointer { losses in
      let losses = losses
      Lanes.current.forEach(choice.groups.count) { index, _ in
        let (group, own, weights) = (choice.groups[index], rows.groups[index], weights[index])
        BLAS.multiply(
          BLAS.Block(a.vectors).rows(own), BLAS.Block(b.vectors).rows(group.candidates),
          transposeB: true, into: .init(weights), alpha: 1 / temperature)
        let places = group.anchors.map { anchor in
          (rows.positions[anchor] - own.lowerBound) * weights.columns
            + Int(choice.chosen[anchor]) - group.candidates.lowerBound
        }
        var loss = 0.0
        for place in places { loss -= Double(weights.pointer[place]) }
        let counts = rows.counts[own]
        let logSums = weights.softmaxRows(times: Array(counts))
        for (count, logSum) in zip(counts, logSums) { loss += Double(count) * logSum }
        for place in places { weights.pointer[place] -= 1 }
        losses[index] = loss
      }
    }
    let total = losses.reduce(0, +)
    return record(scalar(Float(total * Double(scale))), from: x, y) { [unowned self] gradient in
      let factor = gradient.pointer[0] * scale / temperature
      let ofA = matrix(rows: rows.indices.count, columns: x.columns)
      let ofB = matrix(rows: choice.candidates.count, columns: y.columns)
      Lanes.current.forEach(choice.groups.count) { index, _ in
        let (own, weights) = (rows.groups[index], BLAS.Block(weights[index]))
        let candidates = choice.groups[index].candidates
        BLAS.multiply(
          weights, BLAS.Block(b.vectors).rows(candidates), into: BLAS.Block(ofA).rows(own),
          alpha: factor)
        BLAS.multiply(
          weights, transposeA: true, BLAS.Block(a.vectors).rows(own),
          into: BLAS.Block(ofB).rows(candidates), alpha: factor)
      }
      a.addGradient(ofA, to: x, on: self)
      b.addGradient(ofB, to: y, on: self)
    }
  }
}
