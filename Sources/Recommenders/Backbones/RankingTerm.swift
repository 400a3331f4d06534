import Datasets
import Tensors

extension Tape {
  /// The likelihood of a batch's preferences with inner products as scores: a mean over the
  /// triplets of the step, so that shards add up.
  ///
  /// - Parameters:
  ///   - users: `[distinct users, D]`.
  ///   - items: `[distinct items, D]`.
  ///   - weight: the term's factor in the loss; 1 / ln 2 makes its logarithms binary.
  public func rankingTerm(
    users: Variable, items: Variable, batch: TripletBatch, likelihood: Likelihood,
    form: RankingLossForm, weight: Float = 1
  ) -> LossTerm {
    .additive(
      LossTerm.rankingName,
      preferenceLoss(users: users, items: items, batch: batch, likelihood: likelihood, form: form),
      weight: weight)
  }
}
