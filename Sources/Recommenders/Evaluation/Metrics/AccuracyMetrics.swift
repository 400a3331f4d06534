internal import Foundation

/// Whether users find their items.
///
/// - Source: MMRec (enoche/MMRec e775373), whose divisors differ from other definitions in the
///   literature.
extension Metric {
  /// Σ_{r≤K} hit(r) / m. The divisor is m even when it is above K.
  public static let recall = Metric(
    "recall", ranksModels: true, isStandard: true,
    summary: "the share of a user's items that are found",
    .hits { Double($0.ranks.count) / Double($0.truthCount) })

  /// Σ_{r≤K} hit(r) / log₂(r+1), divided by the same sum for a perfect list of min(K, m) hits.
  public static let ndcg = Metric(
    "ndcg", ranksModels: true, isStandard: true,
    summary: "like recall, but items count more the higher they rank",
    .hits { hits in
      let gain = hits.ranks.reduce(0) { $0 + hits.discounts.gain[$1] }
      return gain / hits.discounts.idealGain[min(hits.cutoff, hits.truthCount)]
    })

  /// Σ_{r≤K} hit(r) / K.
  public static let precision = Metric(
    "precision", ranksModels: true, isStandard: true,
    summary: "the share of a list that is among the user's items",
    .hits { Double($0.ranks.count) / Double($0.cutoff) })

  /// Σ_{r≤K} hit(r) · (hits up to r) / r, divided by min(K, m).
  public static let map = Metric(
    "map", ranksModels: true, isStandard: true,
    summary: "the mean precision at the ranks of the user's items",
    .hits { hits in
      var sum = 0.0
      for (earlier, rank) in hits.ranks.enumerated() { sum += Double(earlier + 1) / Double(rank) }
      return sum / Double(min(hits.cutoff, hits.truthCount))
    })
}

/// The gain of a hit at each rank in NDCG.
public struct RankDiscounts: Sendable {
  /// 1 / log₂(r + 1) at index r; index 0 is unused.
  public let gain: [Double]
  /// The sum of the gains of ranks 1 … r at index r.
  public let idealGain: [Double]

  /// - Precondition: `depth >= 0`.
  init(depth: Int) {
    var gain = [0.0]
    var idealGain = [0.0]
    for rank in stride(from: 1, through: depth, by: 1) {
      gain.append(1 / log2(Double(rank + 1)))
      idealGain.append(idealGain[rank - 1] + gain[rank])
    }
    self.gain = gain
    self.idealGain = idealGain
  }
}
