import Foundation
import Recommenders
import Runtime

/// Compares configurations: mean and deviation over seeds, and significance over users.
///
/// The test is paired over users. A user's value is the mean over the seeds that both
/// configurations have, or over all seeds of each if they share none. So seeds are no separate
/// observations, and a seed that is good for all users does not count as evidence.
package struct ComparisonReport: Sendable, Encodable {
  package let schemaVersion = 1
  package let split: Split
  package let metrics: [String]
  /// The first row is the baseline.
  package let rows: [Row]
  /// What else the configurations differ in than what is compared, as sentences.
  package let warnings: [String]

  package struct Row: Sendable, Encodable {
    package let label: String
    package let seeds: [Int]
    /// By metric; over all seeds.
    package let values: [String: MeanAndDeviation]
    /// By metric; empty for the baseline.
    package let differences: [String: Difference]
  }

  /// The difference between a configuration and the baseline in one metric.
  package struct Difference: Sendable, Encodable {
    /// (mean − baseline's mean) / baseline's mean over the paired seeds; nil if the baseline's mean
    /// is 0.
    package let relativeGain: Double?
    /// The seeds that both have.
    package let pairedSeeds: [Int]
    /// Paired users; 0 for a metric without values per user, which is not tested.
    package let userCount: Int
    /// Two-sided paired t-test; nil for fewer than two users.
    package let tTestPValue: Double?
    /// Two-sided signed-rank test; nil if no users were paired.
    package let wilcoxonPValue: Double?

    enum CodingKeys: String, CodingKey {
      case relativeGain = "relative_gain"
      case pairedSeeds = "paired_seeds"
      case userCount = "user_count"
      case tTestPValue = "t_test_p_value"
      case wilcoxonPValue = "wilcoxon_p_value"
    }
  }

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case split, metrics, rows, warnings
  }

  /// - Parameters:
  ///   - groups: the baseline first.
  ///   - metrics: empty means the headline metrics at 20.
  ///   - warnings: see ``ComparedSettings``.
  ///   - users: the users' metrics of a run.
  /// - Throws: ``ExperimentError`` for a metric that a run lacks, a baseline without runs, and
  ///   configurations that were measured on different users.
  package init(
    _ groups: [ComparedGroup], metrics: [String], split: Split, warnings: [String] = [],
    users: (ComparedRun) throws -> PerUserMetrics
  ) throws {
    self.warnings = warnings
    guard let baseline = groups.first, !baseline.runs.isEmpty else {
      throw ExperimentError(
        .inputMissing,
        "Cannot compare with '\(groups.first?.label ?? "nothing")': none of its runs finished. "
          + "Resume them first, or name another --baseline.")
    }
    let names =
      metrics.isEmpty
      ? Metric.headline.map { $0.name(at: 20) } : MetricNames.normalized(metrics)
    try MetricNames.check(names, in: groups.flatMap { $0.runs.map(\.result) }, split: split)
    let needsUsers = names.contains(where: Self.isPerUser)
    let reference = needsUsers ? try UserValues(baseline, split: split, users: users) : nil
    self.metrics = names
    self.split = split
    rows = try groups.enumerated().map { position, group in
      var differences: [String: Difference] = [:]
      if position > 0, !group.runs.isEmpty {
        let values = needsUsers ? try UserValues(group, split: split, users: users) : nil
        for name in names {
          differences[name] =
            if Self.isPerUser(name), let values, let reference {
              try values.difference(from: reference, in: name)
            } else {
              Difference(of: group, from: baseline, in: name, split)
            }
        }
      }
      return Row(
        label: group.label, seeds: group.runs.map(\.seed),
        values: Dictionary(
          uniqueKeysWithValues: names.compactMap { name in
            MeanAndDeviation(group.runs.compactMap { $0.result.value(name, split) })
              .map { (name, $0) }
          }),
        differences: differences)
    }
  }
}

extension ComparisonReport {
  fileprivate static func isPerUser(_ metric: String) -> Bool {
    Metric.ofValue(metric)?.isPerUser ?? true
  }
}

extension ComparisonReport.Difference {
  /// For a metric without values per user: the difference of the means over the common seeds, or
  /// over all seeds if there are none.
  fileprivate init(
    of group: ComparedGroup, from baseline: ComparedGroup, in metric: String, _ split: Split
  ) {
    let common = Set(group.runs.map(\.seed)).intersection(baseline.runs.map(\.seed))
    func mean(_ group: ComparedGroup) -> Double {
      let values = group.runs.filter { common.isEmpty || common.contains($0.seed) }
        .compactMap { $0.result.value(metric, split) }
      return values.reduce(0, +) / Double(max(1, values.count))
    }
    let base = mean(baseline)
    self.init(
      relativeGain: base > 0 ? (mean(group) - base) / base : nil, pairedSeeds: common.sorted(),
      userCount: 0, tTestPValue: nil, wilcoxonPValue: nil)
  }
}

/// The values per user of the runs of a configuration.
private struct UserValues {
  private let label: String
  private let seeds: [Int: UserMetrics]

  init(
    _ group: ComparedGroup, split: Split, users: (ComparedRun) throws -> PerUserMetrics
  ) throws {
    label = group.label
    seeds = try Dictionary(
      group.runs.map { ($0.seed, try users($0).metrics(split)) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The differences between the same users of two configurations, and their tests.
  func difference(
    from baseline: UserValues, in metric: String
  ) throws -> ComparisonReport.Difference {
    let common = Set(seeds.keys).intersection(baseline.seeds.keys).sorted()
    let own = try mean(metric, seeds: common)
    let other = try baseline.mean(metric, seeds: common)
    guard own.users == other.users else {
      throw ExperimentError(
        .dataMalformed,
        "Cannot compare '\(label)' with '\(baseline.label)': they were measured on different users "
          + "(\(own.users.count) and \(other.users.count)). Compare runs on the same data set.")
    }
    let differences = zip(own.values, other.values).map { $0 - $1 }
    let gain = differences.reduce(0, +)
    let base = other.values.reduce(0, +)
    return ComparisonReport.Difference(
      relativeGain: base > 0 ? gain / base : nil, pairedSeeds: common,
      userCount: differences.count, tTestPValue: PairedTTest(differences: differences)?.pValue,
      wilcoxonPValue: WilcoxonSignedRank(differences: differences).pValue)
  }

  /// Every user's mean over some seeds, or over all if none are named.
  private func mean(
    _ metric: String, seeds chosen: [Int]
  ) throws -> (users: [Int], values: [Double]) {
    let runs = (chosen.isEmpty ? seeds.keys.sorted() : chosen).compactMap { seeds[$0] }
    guard let users = runs.first?.users, runs.allSatisfy({ $0.users == users }) else {
      throw ExperimentError(
        .dataMalformed,
        "Cannot average the seeds of '\(label)': they were measured on different users. Compare "
          + "runs on the same data set.")
    }
    var sums = [Double](repeating: 0, count: users.count)
    for run in runs {
      guard let values = run.values(of: metric) else {
        throw ExperimentError(
          .dataMalformed,
          "Cannot compare '\(label)': the metrics per user have no \(metric). Delete per_user.tsv "
            + "in its runs; it is computed again.")
      }
      for (index, value) in values.enumerated() { sums[index] += value }
    }
    return (users, sums.map { $0 / Double(runs.count) })
  }
}

extension ComparisonReport {
  /// One text table per metric.
  package var lines: [String] {
    metrics.flatMap { metric in
      TextTable(
        header: [
          "\(split.rawValue) \(metric)", "seeds", "mean ± std", "change", "p t-test", "p Wilcoxon",
        ],
        rows: rows.enumerated().map { position, row in
          [row.label, "\(row.seeds.count)", row.values[metric]?.text ?? "–"]
            + cells(row.differences[metric], isBaseline: position == 0)
        }, leftColumns: 1
      ).lines + [""]
    } + [note]
  }

  private func cells(_ difference: Difference?, isBaseline: Bool) -> [String] {
    guard let difference else { return [isBaseline ? "baseline" : "–", "", ""] }
    return [
      difference.relativeGain.map { String(format: "%+.2f %%", $0 * 100) } ?? "–",
      difference.tTestPValue.map(Self.probability) ?? "–",
      difference.wilcoxonPValue.map(Self.probability) ?? "–",
    ]
  }

  static func probability(_ value: Double) -> String {
    String(format: value >= 0.0001 ? "%.4f" : "%.1e", value)
  }

  private var note: String {
    let counts = Set(rows.flatMap { $0.differences.values.map(\.userCount) })
      .subtracting([0]).sorted()
    let users = counts.isEmpty ? "users" : counts.map { "\($0)" }.joined(separator: ", ") + " users"
    let unpaired = rows.contains { row in
      row.differences.values.contains { $0.pairedSeeds.isEmpty }
    }
    return "p: two-sided, paired over \(users), each with the mean over "
      + (unpaired ? "seeds (not all configurations share seeds)" : "the seeds in common")
  }

  /// One line per configuration and metric, unrounded.
  package var csv: String {
    let header = [
      "configuration", "split", "metric", "seeds", "mean", "std", "relative_gain", "p_t_test",
      "p_wilcoxon", "users",
    ]
    return CSV.text(
      [header]
        + rows.flatMap { row in
          metrics.map { metric in
            let difference = row.differences[metric]
            return [
              row.label, split.rawValue, metric,
              row.seeds.map { "\($0)" }.joined(separator: " "),
              CSV.number(row.values[metric]?.mean), CSV.number(row.values[metric]?.deviation),
              CSV.number(difference?.relativeGain), CSV.number(difference?.tTestPValue),
              CSV.number(difference?.wilcoxonPValue),
              difference.map { "\($0.userCount)" } ?? "",
            ]
          }
        })
  }
}
