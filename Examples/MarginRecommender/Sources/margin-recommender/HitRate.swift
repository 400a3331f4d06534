import Recommenders

extension Metric {
  /// The share of users with at least one of their items among the best K.
  ///
  /// - Source: RecBole's `Hit`.
  static let hitRate = Metric(
    "hit_rate", ranksModels: true, summary: "the share of users who find an item",
    // A user without hits counts as 0 and is not asked for.
    .hits { _ in 1 })
}
