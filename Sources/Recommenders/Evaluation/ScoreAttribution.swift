import Tensors

/// Says which part of a model's score (``ScorePart``) speaks most for an item.
///
/// A product ⟨u_p, i_p⟩ alone does not say it: for one user it may be large for all items, and then
/// it chooses none of them. So the contribution of part p to the score of item i is how much
/// the product is above its mean over all items:
///
///     c_p(u, i) = ⟨u_p, i_p⟩ − mean_j ⟨u_p, j_p⟩
///
/// Contributions of all parts add up to the score minus the user's mean score. The reason is the
/// part with the largest contribution, and its share is c_p / Σ_q max(0, c_q).
package struct ScoreAttribution: Sendable {
  /// What a part contributes to a score.
  package struct Contribution: Sendable, Equatable {
    package let part: String
    /// c_p, in units of the score.
    package let value: Double

    package init(part: String, value: Double) {
      self.part = part
      self.value = value
    }
  }

  /// The part that contributes most.
  package struct Reason: Sendable, Equatable {
    package let part: String
    /// Of all contributions above 0; above 0, at most 1.
    package let share: Double

    package init(part: String, share: Double) {
      self.part = part
      self.share = share
    }
  }

  private struct Part: Sendable {
    let name: String
    let columns: Range<Int>
    let vectors: Matrix
    /// The first column of the part in `vectors`.
    let offset: Int
    /// The mean of the part's vectors over all items.
    let mean: [Float]

    init(_ part: ScorePart, vectors: Matrix, offset: Int) {
      name = part.name
      columns = part.columns
      self.vectors = vectors
      self.offset = offset
      var sums = [Double](repeating: 0, count: part.columns.count)
      for item in 0..<vectors.rows {
        let row = vectors.row(item)
        for column in sums.indices { sums[column] += Double(row[offset + column]) }
      }
      mean = sums.map { Float($0 / Double(max(1, vectors.rows))) }
    }
  }

  private let parts: [Part]

  /// How many items are computed at a time.
  private static let blockSize = 1024

  /// - Parameters:
  ///   - parts: of the model.
  ///   - items: the final item matrix, `[I, D]`.
  ///   - parameters: the backbone's tables, whole where a part is computed from them.
  /// - Precondition: the columns of all parts are columns of `items`.
  package init(_ parts: [ScorePart], items: Matrix, parameters: [Matrix]) {
    self.parts = parts.map { part in
      switch part.itemVectors {
      case .columns:
        return Part(part, vectors: items, offset: part.columns.lowerBound)
      case .computed(_, let compute):
        let vectors = Matrix(rows: items.rows, columns: part.columns.count)
        for first in stride(from: 0, to: items.rows, by: Self.blockSize) {
          let block = compute(first..<min(first + Self.blockSize, items.rows), parameters)
          withExtendedLifetime(block) {
            (vectors.pointer + first * vectors.columns).update(
              from: block.pointer, count: block.rows * block.columns)
          }
        }
        return Part(part, vectors: vectors, offset: 0)
      }
    }
  }

  /// The contributions of all parts to the score of an item, in the order of the model.
  ///
  /// - Parameters:
  ///   - users: final vectors, `[*, D]`.
  ///   - row: of the user in them.
  package func contributions(users: Matrix, row: Int, item: Int) -> [Contribution] {
    let user = users.row(row)
    return parts.map { part in
      let row = part.vectors.row(item)
      var sum = 0.0
      for (column, position) in part.columns.enumerated() {
        sum +=
          Double(user[position])
          * (Double(row[part.offset + column]) - Double(part.mean[column]))
      }
      return Contribution(part: part.name, value: sum)
    }
  }
}

extension [ScoreAttribution.Contribution] {
  /// The part that contributes most, the first one of several; nil if none is above its mean.
  package var reason: ScoreAttribution.Reason? {
    var best: ScoreAttribution.Contribution?
    for contribution in self where contribution.value > best?.value ?? 0 { best = contribution }
    guard let best else { return nil }
    return ScoreAttribution.Reason(
      part: best.part, share: best.value / reduce(0) { $0 + Swift.max(0, $1.value) })
  }
}
