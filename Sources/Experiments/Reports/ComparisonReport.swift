import Foundation
import Recommenders
import Runtime

/// Compares configurations: mean and deviation over seeds, and for each difference from the
/// baseline an interval over users and seeds and tests over users.
///
/// Tests are paired over users. A user's value is the mean over the seeds that both
/// configurations have, or over all seeds of each if they share none. So seeds are no separate
/// observations, and a seed that is good for all users does not count as evidence. The interval
/// also draws seeds, see `PairedBootstrap`. p-values are corrected for the number of tests in all
/// tables, see `HolmCorrection`.
package struct ComparisonReport: Sendable, Encodable {
  package let schemaVersion = 1
  package let split: Split
  package let metrics: [String]
  /// The first row is the baseline.
  package let rows: [Row]
  /// What else the configurations differ in than what is compared, as sentences.
  package let warnings: [String]
  /// How many differences were tested: what p-values are corrected for.
  package let testCount: Int
  /// The share of intervals that are to hold the truth.
  package let confidence = PairedBootstrap().confidence
  /// How many resamples an interval is from.
  package let resampleCount = PairedBootstrap().resampleCount
  /// The same differences within groups of users and items; nil if not asked for.
  package let groups: GroupComparison?

  package struct Row: Sendable, Encodable {
    package let label: String
    package let seeds: [Int]
    /// Those of the seeds on which a search chose the settings.
    package let searchSeeds: [Int]
    /// By metric; over all seeds.
    package let values: [String: MeanAndDeviation]
    /// By metric; empty for the baseline.
    package fileprivate(set) var differences: [String: MetricDifference]

    enum CodingKeys: String, CodingKey {
      case label, seeds, values, differences
      case searchSeeds = "search_seeds"
    }
  }

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case testCount = "test_count"
    case resampleCount = "resample_count"
    case split, metrics, rows, warnings, confidence, groups
  }

  /// - Parameters:
  ///   - compared: the baseline first.
  ///   - metrics: empty means the headline metrics at 20.
  ///   - warnings: see ``ComparedSettings``.
  ///   - users: the users' metrics of a run.
  ///   - usersByGroup: the users' metrics of a run by group, if groups are compared too.
  /// - Throws: ``ExperimentError`` for a metric that a run lacks, a baseline without runs, and
  ///   configurations that were measured on different users.
  package init(
    _ compared: [ComparedGroup], metrics: [String], split: Split, warnings: [String] = [],
    users: (ComparedRun) throws -> PerUserMetrics,
    usersByGroup: ((ComparedRun) throws -> MetricsByGroup)? = nil
  ) throws {
    self.warnings = warnings
    guard let baseline = compared.first, !baseline.runs.isEmpty else {
      throw ExperimentError(
        .inputMissing,
        "Cannot compare with '\(compared.first?.label ?? "nothing")': none of its runs finished. "
          + "Resume them first, or name another --baseline.")
    }
    let names =
      metrics.isEmpty
      ? Metric.headline.map { $0.name(at: 20) } : MetricNames.normalized(metrics)
    try MetricNames.check(names, in: compared.flatMap { $0.runs.map(\.result) }, split: split)
    let needsUsers = names.contains(where: MetricNames.isPerUser)
    func values(_ group: ComparedGroup) throws -> UserValues? {
      guard needsUsers else { return nil }
      return UserValues(
        label: group.label,
        seeds: try Dictionary(
          group.runs.map { ($0.seed, try users($0).metrics(split)) },
          uniquingKeysWith: { first, _ in first }))
    }
    let reference = try values(baseline)
    self.metrics = names
    self.split = split
    var rows: [Row] = []
    var places: [(row: Int, metric: String)] = []
    var differences: [MetricDifference] = []
    for (position, group) in compared.enumerated() {
      rows.append(Row(group, metrics: names, split: split))
      guard position > 0, !group.runs.isEmpty else { continue }
      let own = try values(group)
      for name in names {
        places.append((position, name))
        if MetricNames.isPerUser(name), let own, let reference {
          differences.append(try own.difference(from: reference, in: name))
        } else {
          differences.append(MetricDifference(of: group, from: baseline, in: name, split))
        }
      }
    }
    differences.correct()
    for (place, difference) in zip(places, differences) {
      rows[place.row].differences[place.metric] = difference
    }
    self.rows = rows
    testCount = differences.count { $0.tTestPValue != nil }
    groups = try usersByGroup.map {
      try GroupComparison(
        compared, metrics: names.filter(MetricsByGroup.includes), users: $0)
    }
  }
}

extension ComparisonReport.Row {
  /// A row without differences.
  fileprivate init(_ group: ComparedGroup, metrics: [String], split: Split) {
    self.init(
      label: group.label, seeds: group.runs.map(\.seed), searchSeeds: group.searchSeeds,
      values: Dictionary(
        uniqueKeysWithValues: metrics.compactMap { name in
          MeanAndDeviation(group.runs.compactMap { $0.result.value(name, split) })
            .map { (name, $0) }
        }),
      differences: [:])
  }
}
