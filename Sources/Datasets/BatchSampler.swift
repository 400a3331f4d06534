import Tensors

/// Cuts each epoch into steps, and each step into shards.
///
/// An epoch is a random permutation of the training interactions, cut into consecutive steps of
/// `batchSize` triplets; the last, shorter one is kept. Each positive gets one negative
/// (``NegativeSampler``). Everything depends on (seed, epoch, step) alone, so that any process
/// can compute any shard at any time; the shards of a step in order are the step's batch,
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

  /// The steps of an epoch that has at most `most` of them; all if that is 0.
  public func stepsPerEpoch(atMost most: Int) -> Int {
    most == 0 ? stepsPerEpoch : min(most, stepsPerEpoch)
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
    var users = [Int32](repeating: 0, count: end - first)
    var positives = users
    var negatives = users
    users.withUnsafeMutableBufferPointer { users in
      positives.withUnsafeMutableBufferPointer { positives in
        negatives.withUnsafeMutableBufferPointer { negatives in
          let (users, positives, negatives) = (users, positives, negatives)
          Lanes.current.forEachRange(of: end - first, elements: 128) { range in
            for index in range {
              let interaction = order[first + index]
              let user = dataset.trainUsers[interaction]
              users[index] = user
              positives[index] = dataset.trainItems[interaction]
            }
            // Of many users, offsets and items come from memory.
            for index in range {
              if index + 16 < range.upperBound {
                dataset.train.prefetchOffset(ofRow: Int(users[index + 16]))
              }
              if index + 8 < range.upperBound {
                dataset.train.prefetchColumns(ofRow: Int(users[index + 8]))
              }
              negatives[index] = sampler.draw(user: users[index], position: first + index)
            }
          }
        }
      }
    }
    return TripletBatch(
      users: users, positives: positives, negatives: negatives, globalCount: globalCount)
  }
}

/// Draws items that a user did not interact with: uniformly from the items that occur in the
/// training interactions, without those of the user's own training interactions. Items of the
/// user's validation and test interactions can be drawn, as in the reference toolbox.
struct NegativeSampler {
  /// Rejections before the exact draw; with half of all items a user needs it once in 2^64 draws.
  static let attemptLimit = 64

  let dataset: Dataset
  let seed: UInt64
  let epoch: Int

  /// The negative for the triplet at `position` of the epoch.
  func draw(user: Int32, position: Int) -> Int32 {
    let random = CounterRandom(
      seed: seed, stream: .negative, epoch: epoch, step: position >> 32)
    let pool = dataset.negativePool
    for attempt in 0..<Self.attemptLimit {
      let item = pool[random.integer(below: pool.count, id: position, index: attempt)]
      if !dataset.train.contains(row: Int(user), column: item) { return item }
    }
    // The user has nearly every item: pick one of the remaining items by its position.
    let left = pool.count - dataset.train.degree(Int(user))
    var rank = random.integer(below: left, id: position, index: Self.attemptLimit)
    for item in pool where !dataset.train.contains(row: Int(user), column: item) {
      if rank == 0 { return item }
      rank -= 1
    }
    preconditionFailure("user \(user) has interacted with every item of the pool")
  }
}
