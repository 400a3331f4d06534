internal import CKernels

/// What a random number is for. Each purpose has a stream of its own, so that switching one on or
/// off (such as the noise of an encoder) leaves the others unchanged.
///
/// The raw values are part of the result of a run: never renumber them.
public enum RandomStream: UInt32, Sendable, CaseIterable {
  /// Initial values of tables; step = table hash, id = row.
  case initialization = 1
  /// The order of the training interactions; id = Feistel round.
  case permutation = 2
  /// Negative items; id = position in the epoch.
  case negative = 3
  /// The ε of the Gaussian encoders; id = item, step = step of the epoch, epoch carries the
  /// modality.
  case noise = 4
  /// The shift that makes marginal pairs for the discriminator.
  case marginalShift = 5
  /// The edges that a graph keeps for an epoch.
  case edgeSample = 6
  /// The padding of short neighbour lists.
  case neighbourPadding = 7
  /// Generated data sets.
  case generator = 8
  /// Train / validation / test splits.
  case split = 9
  /// Samples of users and items.
  case sample = 10
  /// Resamples of a bootstrap; step = resample, id = position, epoch = what is drawn.
  case bootstrap = 11
  /// What a decomposition draws; epoch carries the purpose.
  case decomposition = 12
  /// Disturbed features: which items are exchanged and how; id = item, step = modality + 1.
  case exchange = 16
  /// Noise on features; id = item, step = modality.
  case featureNoise = 17
  /// Noise on propagated vectors; id = node, index = which noise and columns.
  case propagationNoise = 18
  /// Elements of vectors that a loss masks; id = row, index = side and columns.
  case vectorMask = 19
  /// Dropped elements of BM3's targets; id = row, epoch and step those of the shard's step.
  case targetDropout = 20
  /// Dropped elements of the views that PGL compares and of the preferences that SMORE applies;
  /// id = row, index = which view and columns, epoch and step those of the shard's step.
  case viewDropout = 21
  /// The vectors that a truncated singular value decomposition starts from; id = row.
  case subspace = 22
  /// The neighbours that a sampled graph keeps; id = node, index = layer and draw.
  case neighbourSample = 23
  /// Items that lose a modality; id = item, step = modality.
  case removal = 30
  /// The rounding of optimizer states that are stored in bfloat16; id = row, step = number of the
  /// update, epoch = table hash.
  case stateRounding = 31
}

/// Random numbers of one purpose, keyed by (seed, stream, epoch, step); a draw is named by an id
/// (a row, a position, an item) and an index.
public struct CounterRandom: Sendable {
  public let key: SIMD2<UInt32>
  public let epoch: UInt32
  public let step: UInt32

  public init(seed: UInt64, stream: RandomStream, epoch: Int = 0, step: Int = 0) {
    let mixed = Self.mix(seed ^ Self.mix(UInt64(stream.rawValue)))
    key = SIMD2(UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
    self.epoch = UInt32(truncatingIfNeeded: epoch)
    self.step = UInt32(truncatingIfNeeded: step)
  }

  /// Four random words for draw `index` of `id`.
  @inlinable
  public func words(id: Int, index: Int = 0) -> SIMD4<UInt32> {
    Philox.bits(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: id), step, epoch),
      key: key)
  }

  /// A uniform number in `[0, 1)` with 24 random bits.
  @inlinable
  public func uniform(id: Int, index: Int = 0) -> Float {
    Self.unit(words(id: id, index: index).x)
  }

  /// A uniform integer in `0 ..< bound`, from 64 random bits (bias below `bound / 2^64`).
  ///
  /// - Precondition: `bound > 0`.
  @inlinable
  public func integer(below bound: Int, id: Int, index: Int = 0) -> Int {
    precondition(bound > 0, "integer(below: \(bound))")
    let words = words(id: id, index: index)
    let wide = UInt64(words.x) << 32 | UInt64(words.y)
    return Int(wide.multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Maps a word to `[0, 1)`, exactly representable in 24 bits.
  @inlinable
  public static func unit(_ word: UInt32) -> Float { Float(word >> 8) * 0x1p-24 }

  /// SplitMix64's finaliser: spreads the bits of a small number over 64 bits.
  public static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The Philox4x32-10 counter-based generator: a keyed bijection from 128-bit counters to 128
/// random bits.
///
/// There is no state to pass on or to save: the same key and counter give the same bits in
/// every process, so each random number of a run is named by what it is for.
///
/// - Source: Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
///   doi:10.1145/2063384.2063405; test vectors from the authors' Random123 1.09 (`kat_vectors`).
public enum Philox {
  /// The 128 random bits of `counter` under `key`.
  @inlinable
  public static func bits(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var counter = counter
    var key = key
    for _ in 0..<10 {
      let product0 = UInt64(counter.x) &* 0xD251_1F53
      let product1 = UInt64(counter.z) &* 0xCD9E_8D57
      counter = SIMD4(
        UInt32(truncatingIfNeeded: product1 >> 32) ^ counter.y ^ key.x,
        UInt32(truncatingIfNeeded: product1),
        UInt32(truncatingIfNeeded: product0 >> 32) ^ counter.w ^ key.y,
        UInt32(truncatingIfNeeded: product0))
      key = key &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return counter
  }
}

/// Standard normal numbers from a counter-based stream, by the Box–Muller transform.
public enum NormalDistribution {
  /// Fills `values` with the normal numbers of `id`; each depends only on the stream, the id and
  /// its position.
  public static func fill(
    _ values: UnsafeMutableBufferPointer<Float>, random: CounterRandom, id: Int
  ) {
    guard let base = values.baseAddress else { return }
    mrdib_normal_fill(
      base, values.count, random.key.x, random.key.y, UInt32(truncatingIfNeeded: id), random.step,
      random.epoch)
  }
}
