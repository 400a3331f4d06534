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

  /// 1 if a list has any of the user's items, else 0; the hit ratio of a split is the mean.
  ///
  /// - Source: Deshpande and Karypis 2004, "Item-based top-N recommendation algorithms" (ACM TOIS
  ///   22), hit rate, for one held-out item per user; for several as RecBole's `Hit`.
  public static let hit = Metric(
    "hit", ranksModels: true, isStandard: false,
    summary: "the share of users with at least one of their items in the list",
    .hits { _ in 1 })

  /// 1 / (the rank of the user's best ranked item), 0 without a hit among the best K.
  ///
  /// - Source: Voorhees 1999, "The TREC-8 question answering track report", cut off at K.
  public static let mrr = Metric(
    "mrr", ranksModels: true, isStandard: false,
    summary: "the mean of 1 / rank of a user's first item in the list",
    .hits { hits in hits.ranks.first.map { 1 / Double($0) } ?? 0 })
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
