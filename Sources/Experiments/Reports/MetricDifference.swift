import Recommenders
import Runtime

/// The difference between a configuration and the baseline in one metric.
package struct MetricDifference: Sendable, Encodable {
  /// (mean − baseline's mean) / baseline's mean over the paired seeds; nil if the baseline's mean
  /// is 0.
  package let relativeGain: Double?
  /// Of the relative gain, over users and seeds, see `PairedBootstrap`; nil without values per
  /// user, and if the baseline's mean is 0 in any resample.
  package var relativeGainInterval: ConfidenceInterval?
  /// mean − baseline's mean over the paired seeds.
  package let gain: Double
  package var gainInterval: ConfidenceInterval?
  /// The seeds that both have.
  package let pairedSeeds: [Int]
  /// Paired users; 0 for a metric without values per user, which is not tested.
  package let userCount: Int
  /// Two-sided paired t-test; nil for fewer than two users.
  package var tTestPValue: Double?
  /// Two-sided signed-rank test; nil if no users were paired.
  package var wilcoxonPValue: Double?
  /// The p-value of the t-test after Holm's correction over all t-tests of the tables.
  package var tTestHolmPValue: Double?
  /// The same of the signed-rank test, over all signed-rank tests of the tables.
  package var wilcoxonHolmPValue: Double?

  enum CodingKeys: String, CodingKey {
    case gain
    case gainInterval = "gain_interval"
    case relativeGain = "relative_gain"
    case relativeGainInterval = "relative_gain_interval"
    case pairedSeeds = "paired_seeds"
    case userCount = "user_count"
    case tTestPValue = "t_test_p_value"
    case wilcoxonPValue = "wilcoxon_p_value"
    case tTestHolmPValue = "t_test_holm_p_value"
    case wilcoxonHolmPValue = "wilcoxon_holm_p_value"
  }

  fileprivate init(mean: Double, baseline: Double, pairedSeeds: [Int], userCount: Int) {
    gain = mean - baseline
    relativeGain = baseline > 0 ? gain / baseline : nil
    self.pairedSeeds = pairedSeeds
    self.userCount = userCount
  }

  /// For a metric without values per user: the difference of the means over the common seeds, or
  /// over all seeds if there are none.
  init(of group: ComparedGroup, from baseline: ComparedGroup, in metric: String, _ split: Split) {
    let common = Set(group.runs.map(\.seed)).intersection(baseline.runs.map(\.seed))
    func mean(_ group: ComparedGroup) -> Double {
      let values = group.runs.filter { common.isEmpty || common.contains($0.seed) }
        .compactMap { $0.result.value(metric, split) }
      return values.reduce(0, +) / Double(max(1, values.count))
    }
    self.init(
      mean: mean(group), baseline: mean(baseline), pairedSeeds: common.sorted(), userCount: 0)
  }
}

/// The values per user of the runs of a configuration.
struct UserValues {
  private let label: String
  private let seeds: [Int: UserMetrics]

  /// - Parameter seeds: by seed, the values of the users.
  init(label: String, seeds: [Int: UserMetrics]) {
    self.label = label
    self.seeds = seeds
  }

  /// The differences between the same users of two configurations, with their tests and intervals.
  ///
  /// - Throws: ``ExperimentError`` if the configurations, or the seeds of one, were measured on
  ///   different users.
  func difference(from baseline: UserValues, in metric: String) throws -> MetricDifference {
    let common = Set(seeds.keys).intersection(baseline.seeds.keys).sorted()
    let own = try values(metric, seeds: common)
    let other = try baseline.values(metric, seeds: common)
    guard own.users == other.users else {
      throw ExperimentError(
        .dataMalformed,
        "Cannot compare '\(label)' with '\(baseline.label)': they were measured on different users "
          + "(\(own.users.count) and \(other.users.count)). Compare runs on the same data set.")
    }
    let (ownMeans, otherMeans) = (Self.means(own.seeds), Self.means(other.seeds))
    let differences = zip(ownMeans, otherMeans).map { $0 - $1 }
    let count = Double(max(1, differences.count))
    var difference = MetricDifference(
      mean: ownMeans.reduce(0, +) / count, baseline: otherMeans.reduce(0, +) / count,
      pairedSeeds: common, userCount: differences.count)
    difference.tTestPValue = PairedTTest(differences: differences)?.pValue
    difference.wilcoxonPValue = WilcoxonSignedRank(differences: differences).pValue
    let intervals = PairedBootstrap().intervals(
      of: own.seeds, against: other.seeds, seedsArePaired: !common.isEmpty)
    difference.gainInterval = intervals?.absolute
    difference.relativeGainInterval = intervals?.relative
    return difference
  }

  /// The mean of a metric over the users of all seeds; nil without users.
  func mean(of metric: String) throws -> Double? {
    let means = Self.means(try values(metric, seeds: []).seeds)
    return means.isEmpty ? nil : means.reduce(0, +) / Double(means.count)
  }

  /// Every user's mean over the seeds.
  private static func means(_ seeds: [[Double]]) -> [Double] {
    var sums = [Double](repeating: 0, count: seeds.first?.count ?? 0)
    for seed in seeds {
      for (index, value) in seed.enumerated() { sums[index] += value }
    }
    return sums.map { $0 / Double(seeds.count) }
  }

  /// The users' values with some seeds, ascending, or with all if none are named.
  private func values(
    _ metric: String, seeds chosen: [Int]
  ) throws -> (users: [Int], seeds: [[Double]]) {
    let runs = (chosen.isEmpty ? seeds.keys.sorted() : chosen).compactMap { seeds[$0] }
    guard let users = runs.first?.users, runs.allSatisfy({ $0.users == users }) else {
      throw ExperimentError(
        .dataMalformed,
        "Cannot average the seeds of '\(label)': they were measured on different users. Compare "
          + "runs on the same data set.")
    }
    let values = try runs.map { run in
      guard let values = run.values(of: metric) else {
        throw ExperimentError(
          .dataMalformed,
          "Cannot compare '\(label)': the metrics per user have no \(metric). Delete per_user.tsv "
            + "in its runs; it is computed again.")
      }
      return values
    }
    return (users, values)
  }
}

/// Holm's correction over the differences of all tables.
extension [MetricDifference] {
  /// Sets the corrected p-values, over all t-tests and over all signed-rank tests.
  mutating func correct() {
    correct(\.tTestPValue, into: \.tTestHolmPValue)
    correct(\.wilcoxonPValue, into: \.wilcoxonHolmPValue)
  }

  private mutating func correct(
    _ pValue: KeyPath<MetricDifference, Double?>,
    into corrected: WritableKeyPath<MetricDifference, Double?>
  ) {
    let tested = indices.filter { self[$0][keyPath: pValue] != nil }
    let values = HolmCorrection.corrected(tested.compactMap { self[$0][keyPath: pValue] })
    for (index, value) in zip(tested, values) { self[index][keyPath: corrected] = value }
  }
}
