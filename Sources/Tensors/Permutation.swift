/// A keyed pseudo-random permutation of `0 ..< count` that is evaluated one position at a time:
/// shuffling a billion interactions takes no memory and no pass over them.
///
/// A six-round Feistel network over the next even number of bits, with Philox as its round
/// function; values outside the range walk on until they fall into it (fewer than four steps on
/// average).
///
/// - Source: Black and Rogaway 2002, "Ciphers with arbitrary finite domains" (cycle walking).
public struct Permutation: Sendable {
  public let count: Int
  private let random: CounterRandom
  private let halfBits: Int

  /// - Precondition: `0 < count < 2^62`.
  public init(count: Int, seed: UInt64, epoch: Int) {
    precondition(count > 0 && count < 1 << 62, "Permutation of \(count) elements")
    self.count = count
    random = CounterRandom(seed: seed, stream: .permutation, epoch: epoch)
    let bits = count == 1 ? 1 : Int.bitWidth - (count - 1).leadingZeroBitCount
    halfBits = max(1, (bits + 1) / 2)
  }

  /// The element at `position` of the shuffled order.
  public subscript(position: Int) -> Int {
    precondition(position >= 0 && position < count, "position \(position) of \(count)")
    var value = position
    repeat { value = encrypt(value) } while value >= count
    return value
  }

  private func encrypt(_ value: Int) -> Int {
    let mask = (1 << halfBits) - 1
    var left = value >> halfBits
    var right = value & mask
    for round in 0..<6 {
      let words = random.words(id: right, index: round)
      (left, right) = (right, left ^ (Int(words.x) & mask))
    }
    return left << halfBits | right
  }
}
