import Datasets
import Settings
import Tensors

/// The likelihood of "user u prefers item p over item n".
public enum Likelihood: String, SettingChoice {
  /// A ranked pair: `−ln σ(s⁺ − s⁻)` (Rendle et al. 2009).
  case bpr
  /// Two labels: `−ln σ(s⁺) − ln σ(−s⁻)`.
  case bce
}

extension Tape {
  /// The negative log-likelihood of preferring the positive scores, divided by `count`.
  ///
  /// - Parameters: `positive` and `negative` are scores, `[B, 1]`.
  /// - Returns: `[1, 1]`, nats; shards add up when `count` is the step's triplet count.
  package func negativeLogLikelihood(
    _ likelihood: Likelihood, positive: Variable, negative: Variable, form: RankingLossForm,
    count: Int
  ) -> Variable {
    switch likelihood {
    case .bpr:
      return rankingLoss(subtract(positive, negative), form: form, count: count)
    case .bce:
      let accepted = rankingLoss(positive, form: .softplus, count: count)
      let rejected = rankingLoss(sum([(negative, -1)]), form: .softplus, count: count)
      return add(accepted, rejected)
    }
  }

  /// The negative log-likelihood of a batch's preferences with inner products as scores, divided by
  /// the step's triplet count.
  ///
  /// - Parameters:
  ///   - users: `[distinct users, D]`.
  ///   - items: `[distinct items, D]`.
  /// - Returns: `[1, 1]`, nats; shards add up.
  public func preferenceLoss(
    users: Variable, items: Variable, batch: TripletBatch, likelihood: Likelihood,
    form: RankingLossForm
  ) -> Variable {
    negativeLogLikelihood(
      likelihood, positive: rowDot(users, batch.userIndex, items, batch.positiveIndex),
      negative: rowDot(users, batch.userIndex, items, batch.negativeIndex), form: form,
      count: batch.globalCount)
  }
}
