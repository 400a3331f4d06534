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

extension Tape {
  /// The regulariser of MGCN, SMORE and LATTICE: `½ (‖Û_u‖² + ‖Î_p‖² + ‖Î_n‖²) / batch`.
  ///
  /// - Parameters:
  ///   - users: one vector per distinct user of the batch.
  ///   - items: one vector per distinct item.
  ///   - batchSize: the triplets of a full step, also in a smaller one.
  func halfSquares(
    users: Variable, items: Variable, batch: TripletBatch, batchSize: Int, weight: Float
  ) -> [LossTerm] {
    [
      (users, batch.userIndex), (items, batch.positiveIndex), (items, batch.negativeIndex),
    ].map { vectors, index in
      .additive(
        "norms", gatheredHalfSquares(vectors, index, scale: 1 / Float(batchSize)), weight: weight)
    }
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

extension Tape {
  /// InfoNCE between two vectors of each triplet, `InfoNCE(x[xIndex], y[yIndex])`.
  ///
  /// The other rows of the batch are the negatives; users or items that occur twice are not
  /// removed. With several shards each has only its own rows: the term is estimated per shard
  /// and averaged by shard size, with fewer negatives than the whole batch would have.
  ///
  /// - Parameters: `x` and `y` are `[J, D]`; the indices have one entry per triplet.
  public func contrastiveTerm(
    _ name: String, _ x: Variable, _ xIndex: [Int32], _ y: Variable, _ yIndex: [Int32],
    temperature: Float, weight: Float, batch: TripletBatch
  ) -> LossTerm {
    .estimated(
      name, infoNCE(gather(x, xIndex), gather(y, yIndex), temperature: temperature),
      weight: weight, share: batch.share)
  }
}
