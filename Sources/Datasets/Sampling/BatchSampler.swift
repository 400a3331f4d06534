import Tensors

/// Cuts each epoch into steps, and each step into shards.
///
/// An epoch is a random permutation of the training interactions, cut into consecutive steps of
/// `batchSize` triplets; the last, shorter one is kept. Each positive gets one negative
/// (``NegativeSampler``). Everything follows from (seed, epoch, step) alone, so that any process
/// can compute any shard at any time; the shards of a step in their order are the step's batch,
/// whatever their number.
///
/// - Source: MMRec's training data loader, with counter-based random numbers.
public struct BatchSampler: Sendable {
  public let dataset: Dataset
  public let seed: UInt64
  /// Triplets of a whole step.
  public let batchSize: Int

  /// - Precondition: `batchSize > 0`.
  public init(dataset: Dataset, seed: UInt64, batchSize: Int) {
    precondition(batchSize > 0, "BatchSampler(batchSize: \(batchSize))")
    self.dataset = dataset
    self.seed = seed
    self.batchSize = batchSize
  }

  /// ⌈E / batchSize⌉, E = number of training interactions.
  public var stepsPerEpoch: Int {
    (dataset.trainUsers.count - 1) / batchSize + 1
  }

  /// How many triplets a step has, all shards together.
  ///
  /// - Precondition: `0 <= step < stepsPerEpoch`.
  public func globalCount(step: Int) -> Int {
    precondition(step >= 0 && step < stepsPerEpoch, "step \(step) of \(stepsPerEpoch)")
    return min(batchSize, dataset.trainUsers.count - step * batchSize)
  }

  /// The triplets of one shard of a step: of the step's n, those from ⌊n·shard/shardCount⌋ to
  /// ⌊n·(shard + 1)/shardCount⌋. A shard is empty when there are fewer triplets than shards.
  ///
  /// - Precondition: `epoch >= 0`, `0 <= step < stepsPerEpoch` and `0 <= shard < shardCount`.
  public func batch(epoch: Int, step: Int, shard: Int, shardCount: Int) -> TripletBatch {
    precondition(shard >= 0 && shard < shardCount, "shard \(shard) of \(shardCount)")
    precondition(epoch >= 0, "epoch \(epoch)")
    let globalCount = globalCount(step: step)
    let first = step * batchSize + globalCount * shard / shardCount
    let end = step * batchSize + globalCount * (shard + 1) / shardCount
    let order = Permutation(count: dataset.trainUsers.count, seed: seed, epoch: epoch)
    let sampler = NegativeSampler(dataset: dataset, seed: seed, epoch: epoch)
    var users: [Int32] = []
    var positives: [Int32] = []
    var negatives: [Int32] = []
    users.reserveCapacity(end - first)
    positives.reserveCapacity(end - first)
    negatives.reserveCapacity(end - first)
    for position in first..<end {
      let interaction = order[position]
      let user = dataset.trainUsers[interaction]
      users.append(user)
      positives.append(dataset.trainItems[interaction])
      negatives.append(sampler.draw(user: user, position: position))
    }
    return TripletBatch(
      users: users, positives: positives, negatives: negatives, globalCount: globalCount)
  }
}
