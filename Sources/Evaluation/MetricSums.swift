/// Sums of every metric at every cutoff over the users of one split.
///
/// Blocks of users are summed where they are ranked, and their sums merged in the order of the
/// blocks: the totals then do not depend on who ranked which block.
public struct MetricSums: Sendable, Equatable {
  /// The split's name, `valid` or `test`.
  public let split: String
  /// The cutoffs K, ascending.
  public let cutoffs: [Int]
  /// How many users the sums are over: those with at least one item in the split.
  public internal(set) var userCount = 0
  /// `[metric, cutoff]`, row-major, in the order of `RankingMetric.allCases`.
  var sums: [Double]

  /// Sums over no users.
  ///
  /// - Precondition: `cutoffs` is not empty and all are positive.
  public init(split: String, cutoffs: [Int]) {
    precondition(!cutoffs.isEmpty && cutoffs.allSatisfy { $0 > 0 }, "cutoffs \(cutoffs)")
    self.split = split
    self.cutoffs = Set(cutoffs).sorted()
    sums = [Double](repeating: 0, count: RankingMetric.allCases.count * self.cutoffs.count)
  }

  /// Adds one user.
  ///
  /// - Parameters:
  ///   - hitRanks: the ranks (from 1) at which the user's items stand, ascending.
  ///   - truthCount: m, how many items the user has in the split; at least one.
  mutating func add(hitRanks: [Int], truthCount: Int, discounts: RankDiscounts) {
    userCount += 1
    var hits = 0
    var gain = 0.0
    var precisionAtHits = 0.0
    for (column, cutoff) in cutoffs.enumerated() {
      while hits < hitRanks.count && hitRanks[hits] <= cutoff {
        let rank = hitRanks[hits]
        hits += 1
        gain += discounts.gain[rank]
        precisionAtHits += Double(hits) / Double(rank)
      }
      guard hits > 0 else { continue }
      let best = min(cutoff, truthCount)
      add(Double(hits) / Double(truthCount), to: .recall, column)
      add(Double(hits) / Double(cutoff), to: .precision, column)
      add(gain / discounts.idealGain[best], to: .ndcg, column)
      add(precisionAtHits / Double(best), to: .map, column)
    }
  }

  private mutating func add(_ value: Double, to metric: RankingMetric, _ column: Int) {
    sums[index(metric, column)] += value
  }

  func index(_ metric: RankingMetric, _ column: Int) -> Int {
    let row =
      switch metric {
      case .recall: 0
      case .precision: 1
      case .ndcg: 2
      case .map: 3
      }
    return row * cutoffs.count + column
  }

  /// Adds the sums over other users of the same split.
  ///
  /// - Precondition: both have the same split and cutoffs.
  public mutating func merge(_ other: MetricSums) {
    precondition(
      split == other.split && cutoffs == other.cutoffs,
      "merging \(other.split)\(other.cutoffs) into \(split)\(cutoffs)")
    userCount += other.userCount
    for index in sums.indices { sums[index] += other.sums[index] }
  }

  /// The names of all values, `recall@5` … `map@50`.
  public var names: [String] {
    RankingMetric.allCases.flatMap { metric in cutoffs.map { metric.name(at: $0) } }
  }

  /// The mean of one metric over the users, unrounded; `nil` if the cutoff was not summed. Over no
  /// users, 0.
  public func mean(_ metric: RankingMetric, at cutoff: Int) -> Double? {
    guard let column = cutoffs.firstIndex(of: cutoff) else { return nil }
    return userCount == 0 ? 0 : sums[index(metric, column)] / Double(userCount)
  }

  /// All means over the users by name, unrounded. Over no users, zeros.
  public func means() -> [String: Double] {
    let divisor = Double(max(1, userCount))
    return Dictionary(uniqueKeysWithValues: zip(names, sums.map { $0 / divisor }))
  }
}
