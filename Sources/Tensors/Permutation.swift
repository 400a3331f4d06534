/// A keyed pseudo-random permutation of `0 ..< count` that is evaluated one position at a time:
/// shuffling a billion interactions takes no memory and no pass over them.
///
/// A six-round Feistel network over the next even number of bits; a value outside the range is
/// encrypted again until it falls into it (fewer than four times on average). Philox provides the
/// round keys and SplitMix64's finaliser is the round function: a batch of 2,048 positions takes
/// some tens of microseconds, where Philox in every round took more than a millisecond.
///
/// - Source: Black and Rogaway 2002, "Ciphers with arbitrary finite domains" (cycle walking).
public struct Permutation: Sendable {
  public let count: Int
  private let roundKeys: [UInt64]
  private let halfBits: Int

  /// - Precondition: `0 < count < 2^62`.
  public init(count: Int, seed: UInt64, epoch: Int) {
    precondition(count > 0 && count < 1 << 62, "Permutation of \(count) elements")
    self.count = count
    let random = CounterRandom(seed: seed, stream: .permutation, epoch: epoch)
    roundKeys = (0..<6).map { round in
      let words = random.words(id: round)
      return UInt64(words.x) << 32 | UInt64(words.y)
    }
    let bits = count == 1 ? 1 : Int.bitWidth - (count - 1).leadingZeroBitCount
    halfBits = max(1, (bits + 1) / 2)
  }

  /// The element at `position` of the shuffled order.
  public subscript(position: Int) -> Int {
    precondition(position >= 0 && position < count, "position \(position) of \(count)")
    var value = UInt64(position)
    repeat { value = encrypt(value) } while value >= UInt64(count)
    return Int(value)
  }

  private func encrypt(_ value: UInt64) -> UInt64 {
    let mask = (UInt64(1) << halfBits) - 1
    var left = value >> halfBits
    var right = value & mask
    for key in roundKeys {
      (left, right) = (right, left ^ (CounterRandom.mix(right ^ key) & mask))
    }
    return left << halfBits | right
  }
}
