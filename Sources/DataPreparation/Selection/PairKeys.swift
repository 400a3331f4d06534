import Tensors

/// Random keys of users, items and pairs of them, from a seed and the original ids.
///
/// A key depends on nothing else: not on the order of lines, not on other rows, not on how ids are
/// numbered. So the same interaction gets the same key in a shuffled file and in a subset.
package struct PairKeys: Sendable {
  private let users: [UInt64]
  private let items: [UInt64]
  private let seed: UInt64

  /// - Parameters:
  ///   - users: a hash of each user's original id (``IdentifierHash``), by dense id.
  ///   - items: a hash of each item's original id, by dense id.
  package init(users: [UInt64], items: [UInt64], seed: UInt64) {
    self.users = users
    self.items = items
    self.seed = seed
  }

  /// The key of an interaction, for its place in a random order or among equal times.
  package func key(user: Int32, item: Int32) -> UInt64 {
    Self.bits(of: stream(user: user), id: items[Int(item)])
  }

  /// The key of each interaction of a user, in the order of `items`.
  package func keys(user: Int32, items interacted: ArraySlice<Int32>) -> [UInt64] {
    let stream = stream(user: user)
    return interacted.map { Self.bits(of: stream, id: items[Int($0)]) }
  }

  /// A key of the user alone, for choices that are made once per user.
  package func key(user: Int32) -> UInt64 {
    Self.bits(of: CounterRandom(seed: seed, stream: .sample), id: users[Int(user)])
  }

  /// A key of the item alone.
  package func key(item: Int32) -> UInt64 {
    Self.bits(of: CounterRandom(seed: seed, stream: .sample, epoch: 1), id: items[Int(item)])
  }

  /// A key of the user for being cold, apart from the choice of a sample of the same seed.
  func coldKey(user: Int32) -> UInt64 {
    Self.bits(of: CounterRandom(seed: seed, stream: .sample, epoch: 2), id: users[Int(user)])
  }

  /// A key of the item for being cold, apart from the choice of a sample of the same seed.
  func coldKey(item: Int32) -> UInt64 {
    Self.bits(of: CounterRandom(seed: seed, stream: .sample, epoch: 3), id: items[Int(item)])
  }

  private func stream(user: Int32) -> CounterRandom {
    let hash = users[Int(user)]
    return CounterRandom(
      seed: seed, stream: .split, epoch: Int(truncatingIfNeeded: hash >> 32),
      step: Int(truncatingIfNeeded: hash & 0xFFFF_FFFF))
  }

  private static func bits(of random: CounterRandom, id: UInt64) -> UInt64 {
    let words = random.words(
      id: Int(truncatingIfNeeded: id & 0xFFFF_FFFF), index: Int(truncatingIfNeeded: id >> 32))
    return UInt64(words.x) << 32 | UInt64(words.y)
  }
}

/// A 64-bit hash of an original id.
///
/// Two ids with the same hash (expected once among billions) only share their random keys.
///
/// - Source: FNV-1a, with SplitMix64's finaliser to spread the bits.
package enum IdentifierHash {
  /// The hash of the bytes of an id.
  package static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return CounterRandom.mix(hash)
  }

  /// The hashes of ids that are their dense numbers, written in decimal.
  package static func numbers(count: Int) -> [UInt64] {
    (0..<count).map { hash(String($0).utf8) }
  }
}
