/// The staleness of the rows that gradients were computed from, as named sums that are sent with
/// the gradients: numbers of gradients by staleness, and the total staleness.
///
/// Up to 64 versions every staleness is counted separately; above, powers of two are counted.
package struct StalenessCounts: Sendable, Equatable {
  static let prefix = "staleness."
  private static let total = "\(prefix)total"
  /// Derived from the others, for display.
  private static let mean = "\(prefix)mean"
  private static let maximum = "\(prefix)max"
  private static let exactLimit: UInt64 = 64

  /// Numbers of gradients by the staleness of their rows.
  private var counts: [UInt64: Double] = [:]
  private var sum = 0.0

  /// The counts of one gradient.
  package init(_ staleness: UInt64) {
    counts[Self.bucket(staleness)] = 1
    sum = Double(staleness)
  }

  /// The counts among named sums; nil if there are none.
  package init?(_ sums: [String: Double]) {
    for (name, value) in sums where name.hasPrefix(Self.prefix) {
      if let staleness = UInt64(name.dropFirst(Self.prefix.count)) { counts[staleness] = value }
    }
    sum = sums[Self.total] ?? 0
    if counts.isEmpty { return nil }
  }

  private static func bucket(_ staleness: UInt64) -> UInt64 {
    var bound = staleness
    guard bound > exactLimit else { return bound }
    bound = exactLimit
    while bound < staleness, bound <= .max / 2 { bound *= 2 }
    return bound
  }

  /// The sums, which add up over gradients, by name.
  package var sums: [String: Double] {
    var sums = [Self.total: sum]
    for (staleness, count) in counts { sums["\(Self.prefix)\(staleness)"] = count }
    return sums
  }

  /// The sums with mean and maximum.
  package var values: [String: Double] {
    sums.merging([Self.mean: mean, Self.maximum: Double(greatest)]) { first, _ in first }
  }

  /// The number of gradients.
  package var count: Double { counts.values.reduce(0, +) }

  /// Mean staleness over all gradients, in versions.
  package var mean: Double { count > 0 ? sum / count : 0 }

  /// The greatest staleness in versions, rounded up to a power of two above 64.
  package var greatest: UInt64 { counts.filter { $0.value > 0 }.keys.max() ?? 0 }

  /// Adds the counts of other gradients.
  package mutating func add(_ other: StalenessCounts) {
    counts.merge(other.counts, uniquingKeysWith: +)
    sum += other.sum
  }
}
