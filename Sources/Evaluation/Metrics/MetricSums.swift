/// Sums of every metric at every cutoff over the users of one split, and how often each item was
/// recommended to them if a metric asks for that.
///
/// Blocks of users are summed where they are ranked, and their sums merged in the order of the
/// blocks: the totals then do not depend on who ranked which block.
public struct MetricSums: Sendable, Equatable {
  /// The split's name, `valid` or `test`.
  public let split: String
  public let metrics: [Metric]
  /// The cutoffs K, ascending.
  public let cutoffs: [Int]
  /// How many users the sums are over: those with at least one item in the split.
  public internal(set) var userCount = 0
  /// `[metric, cutoff]`, row-major, of the metrics that users have values of.
  var sums: [Double]
  /// By cutoff; empty if no metric needs it.
  public private(set) var exposures: [Exposure]
  private let userMetrics: [Metric]

  /// Sums over no users.
  ///
  /// - Parameter itemCount: of the catalogue.
  /// - Precondition: `cutoffs` is not empty and all are positive.
  public init(
    split: String, metrics: [Metric] = Metric.standard, cutoffs: [Int], itemCount: Int = 0
  ) {
    precondition(!cutoffs.isEmpty && cutoffs.allSatisfy { $0 > 0 }, "cutoffs \(cutoffs)")
    self.split = split
    self.metrics = metrics
    let ascending = Set(cutoffs).sorted()
    self.cutoffs = ascending
    userMetrics = metrics.filter(\.isPerUser)
    sums = [Double](repeating: 0, count: userMetrics.count * ascending.count)
    let needsExposure = userMetrics.count < metrics.count
    exposures = needsExposure ? ascending.map { _ in Exposure(itemCount: itemCount) } : []
  }

  /// Adds one user.
  ///
  /// - Parameters:
  ///   - hitRanks: the ranks (from 1) at which the user's items stand, ascending.
  ///   - truthCount: m, how many items the user has in the split; at least one.
  ///   - list: the user's best items; empty unless a metric looks at them.
  mutating func add(
    hitRanks: [Int], truthCount: Int, discounts: RankDiscounts, list: [Int],
    trainingCounts: [Int32]
  ) {
    userCount += 1
    var hitCount = 0
    for (column, cutoff) in cutoffs.enumerated() {
      while hitCount < hitRanks.count && hitRanks[hitCount] <= cutoff { hitCount += 1 }
      let hits = Hits(
        ranks: hitRanks[..<hitCount], cutoff: cutoff, truthCount: truthCount, discounts: discounts)
      for (row, metric) in userMetrics.enumerated() {
        switch metric.formula {
        case .hits(let formula):
          if hitCount > 0 { sums[row * cutoffs.count + column] += formula(hits) }
        case .list(let formula):
          sums[row * cutoffs.count + column] += formula(
            RecommendedList(items: list.prefix(cutoff), trainingCounts: trainingCounts))
        case .exposure: break
        }
      }
      if !exposures.isEmpty {
        for item in list.prefix(cutoff) { exposures[column].add(item) }
      }
    }
  }

  /// Adds the sums over other users of the same split.
  ///
  /// - Precondition: both have the same split, metrics, cutoffs and catalogue.
  public mutating func merge(_ other: MetricSums) {
    precondition(
      split == other.split && cutoffs == other.cutoffs && metrics == other.metrics,
      "merging \(other.split)\(other.cutoffs) into \(split)\(cutoffs)")
    userCount += other.userCount
    for index in sums.indices { sums[index] += other.sums[index] }
    for index in exposures.indices { exposures[index].merge(other.exposures[index]) }
  }

  /// The names of the values that users have, `recall@5` … `map@50`.
  public var names: [String] {
    userMetrics.flatMap { metric in cutoffs.map { metric.name(at: $0) } }
  }

  /// One metric over the users, unrounded; `nil` if it was not computed at the cutoff. Over no
  /// users, 0.
  public func value(_ metric: Metric, at cutoff: Int) -> Double? {
    values()[metric.name(at: cutoff)]
  }

  /// All values over the users by name, unrounded. Over no users, zeros.
  public func values() -> [String: Double] {
    let divisor = Double(max(1, userCount))
    var values = Dictionary(uniqueKeysWithValues: zip(names, sums.map { $0 / divisor }))
    for (cutoff, exposure) in zip(cutoffs, exposures) {
      values.merge(exposure.values(of: metrics, at: cutoff)) { $1 }
    }
    return values
  }
}
