import Tensors

/// Random numbers that are the same in every run of the tests.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = CounterRandom.mix(seed) }

  mutating func next() -> UInt64 {
    state &+= 1
    return CounterRandom.mix(state)
  }

  /// True once in `count` times.
  mutating func isOne(in count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
}
