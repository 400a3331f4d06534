import Datasets
import Tensors

extension Tape {
  /// The loss that BPR, VBPR and LightGCN share: a ranking term on inner products and un-squared
  /// norms of the three batch matrices.
  ///
  /// - Parameters:
  ///   - users: the user vectors of the scores, `[distinct users, D]`.
  ///   - items: the item vectors of the scores, `[distinct items, D]`.
  ///   - regularizedUsers: the user vectors of the norms, one row per distinct user.
  ///   - regularizedItems: the item vectors of the norms, one row per distinct item.
  public func pairwiseLoss(
    users: Variable, items: Variable, regularizedUsers: Variable, regularizedItems: Variable,
    batch: TripletBatch, regularization: Float, likelihood: Likelihood
  ) -> [LossTerm] {
    let ranking = rankingTerm(
      users: users, items: items, batch: batch, likelihood: likelihood, form: .guarded)
    let weight = regularization / Float(max(1, batch.globalCount))
    let norms = [
      gatheredNorm(regularizedUsers, batch.userIndex),
      gatheredNorm(regularizedItems, batch.positiveIndex),
      gatheredNorm(regularizedItems, batch.negativeIndex),
    ]
    return [ranking]
      + norms.map { .reduced("norms", $0, weight: weight, share: batch.share) }
  }
}

extension LossTerm {
  /// The name of the term that ranks: the joint likelihood of the information bottleneck.
  public static let rankingName = "ranking"
}

extension TripletBatch {
  /// The share of the step's triplets that are in this shard.
  public var share: Float { Float(users.count) / Float(max(1, globalCount)) }
}
