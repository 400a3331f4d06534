internal import Autodiff
internal import Datasets

extension Tape {
  /// The loss that BPR and VBPR share: a ranking term on inner products and un-squared norms of
  /// the three batch matrices.
  ///
  /// - Parameters:
  ///   - users: `[distinct users, D]`.
  ///   - items: the item vectors of the scores, `[distinct items, D]`.
  ///   - regularizedItems: the item vectors of the norms, same shape.
  func pairwiseLoss(
    users: Variable, items: Variable, regularizedItems: Variable, batch: TripletBatch,
    regularization: Float, likelihood: Likelihood
  ) -> [LossTerm] {
    let positive = rowDot(users, batch.userIndex, items, batch.positiveIndex)
    let negative = rowDot(users, batch.userIndex, items, batch.negativeIndex)
    let ranking = negativeLogLikelihood(
      likelihood, positive: positive, negative: negative, form: .guarded, count: batch.globalCount)
    let weight = regularization / Float(max(1, batch.globalCount))
    let norms = [
      gatheredNorm(users, batch.userIndex),
      gatheredNorm(regularizedItems, batch.positiveIndex),
      gatheredNorm(regularizedItems, batch.negativeIndex),
    ]
    return [.additive(LossTerm.rankingName, ranking, weight: 1)]
      + norms.map { .reduced("norms", $0, weight: weight, share: batch.share) }
  }
}

extension LossTerm {
  /// The name of the term that ranks: the joint likelihood of the information bottleneck.
  static let rankingName = "ranking"
}

extension TripletBatch {
  /// The part of the step's triplets that this shard has.
  var share: Float { Float(users.count) / Float(max(1, globalCount)) }
}
