/// The Philox4x32-10 counter-based generator: a keyed bijection from 128-bit counters to 128
/// random bits.
///
/// There is no state to carry along or to save: the same key and counter give the same bits in
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
