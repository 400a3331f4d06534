import Datasets
import Tensors

/// The likelihood of what a batch's users preferred: what y is.
public enum Likelihood: Sendable {
  /// A ranked pair: `−ln σ(s⁺ − s⁻)` (Rendle et al. 2009).
  case bpr
  /// Two labels: `−ln σ(s⁺) − ln σ(−s⁻)`.
  case bce
  /// A choice among candidates: the negative logarithm of a soft-max; see ``Candidates``.
  case candidates(Candidates)

  /// For a term that is a comparison of two items in any case, such as a regulariser of a backbone.
  public var ofPairs: Likelihood {
    if case .candidates = self { .bpr } else { self }
  }

  /// The same likelihood of matrices that have `rows` instead of all rows of the batch.
  ///
  /// - Precondition: the rows are all that the likelihood is about.
  func among(_ rows: BatchRows) -> Likelihood {
    if case .candidates(let candidates) = self { .candidates(candidates.among(rows)) } else { self }
  }
}

extension Tape {
  /// The negative log-likelihood of a batch's preferences, with inner products as scores. A choice
  /// among candidates uses cosines over a temperature instead, and the shard's anchors alone.
  ///
  /// - Parameters:
  ///   - users: `[distinct users, D]`, or the rows that a choice among candidates counts in.
  ///   - items: `[distinct items, D]`, likewise.
  ///   - form: of a ranked pair.
  ///   - triplets: the batch's triplets that count, nil for all; the divisor stays. A choice among
  ///     candidates has its own.
  /// - Returns: `[1, 1]`, nats; shards add up to the mean over the step's triplets, or for a choice
  ///   among candidates to the shards' means, averaged by shard size.
  public func preferenceLoss(
    users: Variable, items: Variable, batch: TripletBatch, likelihood: Likelihood,
    form: RankingLossForm, triplets: [Int]? = nil
  ) -> Variable {
    if case .candidates(let candidates) = likelihood {
      return candidateLoss(
        users, items, choice: candidates.choice, temperature: candidates.temperature,
        scale: batch.share / Float(max(1, candidates.choice.anchors.count)))
    }
    func counted(_ index: [Int32]) -> [Int32] {
      triplets.map { $0.map { index[$0] } } ?? index
    }
    let anchors = counted(batch.userIndex)
    let positive = rowDot(users, anchors, items, counted(batch.positiveIndex))
    let negative = rowDot(users, anchors, items, counted(batch.negativeIndex))
    guard case .bce = likelihood else {
      return rankingLoss(subtract(positive, negative), form: form, count: batch.globalCount)
    }
    return labelLoss(positive: positive, negative: negative, count: batch.globalCount)
  }

  /// The negative log-likelihood of two labels per triplet, divided by `count`.
  ///
  /// - Parameters: `positive` and `negative` are scores, `[B, 1]`.
  /// - Returns: `[1, 1]`, nats; shards add up when `count` is the step's triplet count.
  package func labelLoss(positive: Variable, negative: Variable, count: Int) -> Variable {
    let accepted = rankingLoss(positive, form: .softplus, count: count)
    let rejected = rankingLoss(sum([(negative, -1)]), form: .softplus, count: count)
    return add(accepted, rejected)
  }
}
