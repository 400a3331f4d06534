internal import CKernels

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
