import Tensors

/// The random numbers of a step of MRdIB. It is a protocol only for tests, which reproduce
/// reference values with stored numbers.
package protocol StepNoise: Sendable {
  /// Fills ε of one modality, `[items.count, D]`.
  func fill(_ noise: Matrix, modality: Int, items: [Int32], context: StepContext)

  /// The cyclic shift in `1 ..< count` that makes marginal pairs of a pair of modalities.
  func shift(count: Int, pair: Int, context: StepContext) -> Int
}

/// Numbers keyed by (seed, epoch, step): the ε of an item does not depend on its shard or on the
/// rest of the batch.
struct KeyedStepNoise: StepNoise {
  func fill(_ noise: Matrix, modality: Int, items: [Int32], context: StepContext) {
    let random = CounterRandom(
      seed: context.seed, stream: .noise, epoch: context.epoch | modality << 24,
      step: context.step)
    for (row, item) in items.enumerated() {
      NormalDistribution.fill(noise.row(row), random: random, id: Int(item))
    }
  }

  func shift(count: Int, pair: Int, context: StepContext) -> Int {
    let random = CounterRandom(
      seed: context.seed, stream: .marginalShift, epoch: context.epoch, step: context.step)
    return 1 + random.integer(below: count - 1, id: context.shard, index: pair)
  }
}
