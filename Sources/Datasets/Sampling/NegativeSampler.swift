import Tensors

/// Draws items that a user did not interact with: uniformly from the items that occur in the
/// training interactions, without those of the user's own training interactions. Items of the
/// user's validation and test interactions can be drawn, as in the reference toolbox.
struct NegativeSampler {
  /// Rejections before the exact draw; even a user with half of all items gets there once in 2^64.
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
    // The user has nearly everything: count to a random one of the few that are left.
    let left = pool.count - dataset.train.degree(Int(user))
    var rank = random.integer(below: left, id: position, index: Self.attemptLimit)
    for item in pool where !dataset.train.contains(row: Int(user), column: item) {
      if rank == 0 { return item }
      rank -= 1
    }
    preconditionFailure("user \(user) has interacted with every item of the pool")
  }
}
