import Tensors

/// Repeatable numbers for tests that try many inputs.
struct RepeatableRandom {
  private let random: CounterRandom
  private var draws = 0

  init(seed: UInt64) { random = CounterRandom(seed: seed, stream: .generator, epoch: 999) }

  mutating func next(below bound: Int) -> Int {
    draws += 1
    return random.integer(below: bound, id: draws)
  }
}
