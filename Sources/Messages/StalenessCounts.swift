/// How stale the rows were that gradients were computed from, as named sums that travel with the
/// gradients: how many gradients by staleness, and the total.
///
/// Staleness up to 64 versions is counted by its number, beyond it by the next power of two.
public struct StalenessCounts: Sendable, Equatable {
  static let prefix = "staleness."
  private static let total = "\(prefix)total"
  /// Derived from the others, for people.
  private static let mean = "\(prefix)mean"
  private static let maximum = "\(prefix)max"
  private static let exactLimit: UInt64 = 64

  /// Of how many gradients the rows were of which staleness.
  private var counts: [UInt64: Double] = [:]
  private var sum = 0.0

  /// Of one gradient.
  public init(_ staleness: UInt64) {
    counts[Self.bucket(staleness)] = 1
    sum = Double(staleness)
  }

  /// What is said of staleness in named sums; nil: nothing.
  public init?(_ sums: [String: Double]) {
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

  /// What adds up over gradients, by name.
  public var sums: [String: Double] {
    var sums = [Self.total: sum]
    for (staleness, count) in counts { sums["\(Self.prefix)\(staleness)"] = count }
    return sums
  }

  /// The sums, and what people want to know.
  public var values: [String: Double] {
    sums.merging([Self.mean: mean, Self.maximum: Double(greatest)]) { first, _ in first }
  }

  /// Gradients.
  public var count: Double { counts.values.reduce(0, +) }

  /// Versions, over all gradients.
  public var mean: Double { count > 0 ? sum / count : 0 }

  /// Versions; beyond 64 the next power of two.
  public var greatest: UInt64 { counts.filter { $0.value > 0 }.keys.max() ?? 0 }

  /// Adds those of other gradients.
  public mutating func add(_ other: StalenessCounts) {
    counts.merge(other.counts, uniquingKeysWith: +)
    sum += other.sum
  }
}
