import Tensors

/// The random decisions of one simulated history, in the order in which they are made. The same
/// seed makes the same decisions.
struct Dice {
  private let stream: CounterRandom
  private var count = 0

  init(seed: UInt64) {
    stream = CounterRandom(seed: seed, stream: .generator)
  }

  /// A number in `[0, 1)`.
  mutating func uniform() -> Double {
    count += 1
    return Double(stream.uniform(id: count))
  }

  mutating func number(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + uniform() * (range.upperBound - range.lowerBound)
  }

  mutating func integer(in range: ClosedRange<Int>) -> Int {
    count += 1
    return range.lowerBound + stream.integer(below: range.count, id: count)
  }

  mutating func element<Element>(of elements: [Element]) -> Element {
    elements[integer(in: 0...elements.count - 1)]
  }

  mutating func happens(_ probability: Double) -> Bool { uniform() < probability }
}
