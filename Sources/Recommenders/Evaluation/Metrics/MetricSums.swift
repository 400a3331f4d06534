/// Sums of every metric at every cutoff over the users of one split, and how often each item was
/// recommended to them if a metric needs that.
///
/// Each block of users is summed by the worker that ranks it, and the sums are merged in the order
/// of the blocks, so the totals do not depend on which worker ranked which block.
public struct MetricSums: Sendable, Equatable {
  /// The split's name, `valid` or `test`.
  public let split: String
  public let metrics: [Metric]
  /// The cutoffs K, ascending.
  public let cutoffs: [Int]
  /// How many users the sums are over: those with at least one item in the split.
  public internal(set) var userCount = 0
  /// `[metric, cutoff]`, row-major, of the metrics that have a value per user.
  var sums: [Double]
  /// The squares of what `sums` adds up; empty unless the precision of the means is wanted.
  private var squares: [Double]
  /// By cutoff; empty if no metric needs it.
  public private(set) var exposures: [Exposure]
  private let userMetrics: [Metric]

  /// Sums over no users.
  ///
  /// - Parameter itemCount: the number of items of the catalogue.
  /// - Precondition: `cutoffs` is not empty and all are positive.
  public init(
    split: String, metrics: [Metric] = Metric.standard, cutoffs: [Int], itemCount: Int = 0
  ) {
    self.init(
      split: split, metrics: metrics, cutoffs: cutoffs, itemCount: itemCount, withSquares: false)
  }

  /// - Parameter withSquares: whether squares are added up, too.
  init(split: String, metrics: [Metric], cutoffs: [Int], itemCount: Int, withSquares: Bool) {
    precondition(!cutoffs.isEmpty && cutoffs.allSatisfy { $0 > 0 }, "cutoffs \(cutoffs)")
    self.split = split
    self.metrics = metrics
    let ascending = Set(cutoffs).sorted()
    self.cutoffs = ascending
    userMetrics = metrics.filter(\.isPerUser)
    sums = [Double](repeating: 0, count: userMetrics.count * ascending.count)
    squares = withSquares ? sums : []
    let needsExposure = userMetrics.count < metrics.count
    exposures = needsExposure ? ascending.map { _ in Exposure(itemCount: itemCount) } : []
  }

  /// Adds one user.
  ///
  /// - Parameters:
  ///   - hitRanks: the ranks (from 1) of the user's items, ascending.
  ///   - truthCount: m, how many items the user has in the split; at least one.
  ///   - list: the user's best items; empty unless a metric needs them.
  ///   - popularity: of the items; nil unless a metric needs it.
  mutating func add(
    hitRanks: [Int], truthCount: Int, discounts: RankDiscounts, list: [Int],
    popularity: ItemPopularity?
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
          if hitCount > 0 { add(formula(hits), at: row * cutoffs.count + column) }
        case .list(let formula):
          guard let popularity else { preconditionFailure("\(metric.name) without a popularity") }
          add(
            formula(RecommendedList(items: list.prefix(cutoff), popularity: popularity)),
            at: row * cutoffs.count + column)
        case .exposure: break
        }
      }
      if !exposures.isEmpty {
        for item in list.prefix(cutoff) { exposures[column].add(item) }
      }
    }
  }

  private mutating func add(_ value: Double, at index: Int) {
    sums[index] += value
    if !squares.isEmpty { squares[index] += value * value }
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
    for (index, square) in other.squares.enumerated() where index < squares.count {
      squares[index] += square
    }
    for index in exposures.indices { exposures[index].merge(other.exposures[index]) }
  }

  /// The names of the values that single users have, `recall@5` … `map@50`.
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

/// Sums as named numbers, the form in which workers report them: `valid.users`,
/// `valid.recall@20`.
extension MetricSums {
  /// The sums (not means) and the number of users by name.
  public var keyed: [String: Double] {
    var values = [userCountName: Double(userCount)]
    for (name, sum) in zip(names, sums) { values["\(split).\(name)"] = sum }
    for (name, sum) in zip(names, squares) {
      values["\(SampleSplit.squares(of: split)).\(name)"] = sum
    }
    return values
  }

  /// How often each item was recommended, by name: `valid.exposure@20`.
  public var keyedExposures: [String: Exposure] {
    Dictionary(
      uniqueKeysWithValues: zip(cutoffs, exposures).map { cutoff, exposure in
        (Exposure.Key(split: split, cutoff: cutoff).name, exposure)
      })
  }

  /// Reads the sums of one split; other names are ignored, and there are no exposures.
  ///
  /// - Throws: `EvaluationError.invalidSum` for a value that is missing, negative or not finite,
  ///   or a number of users that is not whole or above 2^31 − 1.
  /// - Precondition: `cutoffs` is not empty and all are positive.
  public init(
    split: String, metrics: [Metric] = Metric.standard, cutoffs: [Int],
    keyed values: [String: Double]
  ) throws {
    self.init(split: split, metrics: metrics, cutoffs: cutoffs)
    func value(_ name: String) throws -> Double {
      guard let found = values[name], found.isFinite, found >= 0 else {
        throw EvaluationError.invalidSum(name: name, found: values[name])
      }
      return found
    }
    let users = try value(userCountName)
    guard let count = Int32(exactly: users) else {
      throw EvaluationError.invalidSum(name: userCountName, found: users)
    }
    userCount = Int(count)
    sums = try names.map { try value("\(split).\($0)") }
  }

  private var userCountName: String { "\(split).users" }
}
