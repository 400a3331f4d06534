import Files
import Foundation
import Recommenders
import Runtime

/// Who gains: the differences of a comparison within groups of users and items.
package struct GroupComparison: Sendable, Encodable {
  /// A configuration's metric within a group.
  package struct Entry: Sendable, Encodable {
    package let metric: String
    package let configuration: String
    package let group: InteractionGroup
    /// How many users the group's metrics are over.
    package let userCount: Int
    /// Over all seeds.
    package let mean: Double
    /// The baseline's mean over all its seeds.
    package let baselineMean: Double
    /// Nil for the baseline.
    package fileprivate(set) var difference: MetricDifference?
    /// The configuration's row in the table.
    let row: Int

    enum CodingKeys: String, CodingKey {
      case metric, configuration, group, mean, difference
      case userCount = "user_count"
      case baselineMean = "baseline_mean"
    }
  }

  /// By metric, then configuration, then group. Groups without users in the split are left out.
  package let entries: [Entry]
  /// How many differences were tested: what p-values are corrected for.
  package let testCount: Int

  enum CodingKeys: String, CodingKey {
    case entries
    case testCount = "test_count"
  }

  /// - Parameters:
  ///   - compared: the baseline first.
  ///   - users: the users' metrics of a run by group.
  /// - Throws: ``ExperimentError`` if configurations were measured on different users.
  init(
    _ compared: [ComparedGroup], metrics: [String],
    users: (ComparedRun) throws -> MetricsByGroup
  ) throws {
    let runs = try compared.map { group in
      try Dictionary(
        group.runs.map { ($0.seed, try users($0)) }, uniquingKeysWith: { first, _ in first })
    }
    let groups = runs.first?.values.first?.groups ?? []
    func values(_ row: Int, _ group: InteractionGroup) -> UserValues {
      UserValues(
        label: compared[row].label, seeds: runs[row].mapValues { $0.metrics(of: group) })
    }
    var entries: [Entry] = []
    var differences: [MetricDifference] = []
    for metric in metrics {
      for row in compared.indices where !runs[row].isEmpty {
        for group in groups {
          let (own, baseline) = (values(row, group), values(0, group))
          guard let mean = try own.mean(of: metric), let other = try baseline.mean(of: metric)
          else { continue }
          let difference = row > 0 ? try own.difference(from: baseline, in: metric) : nil
          if let difference { differences.append(difference) }
          entries.append(
            Entry(
              metric: metric, configuration: compared[row].label, group: group,
              userCount: runs[row].values.first?.metrics(of: group).users.count ?? 0, mean: mean,
              baselineMean: other, difference: difference, row: row))
        }
      }
    }
    differences.correct()
    testCount = differences.count { $0.tTestPValue != nil }
    var corrected = differences.makeIterator()
    for index in entries.indices where entries[index].difference != nil {
      entries[index].difference = corrected.next()
    }
    self.entries = entries
  }
}

extension GroupComparison {
  /// A table per metric and configuration; of the baseline only if there is nothing else.
  ///
  /// - Parameter labels: of the configurations.
  func lines(of labels: [String]) -> [String] {
    let isAlone = !entries.contains { $0.difference != nil }
    let shown = entries.filter { isAlone || $0.difference != nil }
    let metrics = shown.map(\.metric).reduce(into: [String]()) {
      if $0.last != $1 { $0.append($1) }
    }
    var lines: [String] = []
    for metric in metrics {
      for row in labels.indices {
        let entries = shown.filter { $0.metric == metric && $0.row == row }
        guard !entries.isEmpty else { continue }
        lines.append("\(metric) by training interactions: \(labels[row].sanitized(atMost: 400))")
        lines += (isAlone ? Self.means(entries) : Self.changes(entries)).lines + [""]
      }
    }
    if testCount > 1 {
      lines += [
        "p by group: as below, but corrected over the \(testCount) differences of groups", "",
      ]
    }
    return lines
  }

  private static func means(_ entries: [Entry]) -> TextTable {
    TextTable(
      header: ["group", "users", "mean"],
      rows: entries.map { [$0.group.name, "\($0.userCount)", String(format: "%.4f", $0.mean)] },
      leftColumns: 1)
  }

  private static func changes(_ entries: [Entry]) -> TextTable {
    TextTable(
      header: ["group", "users", "baseline", "mean", "change", "95 % interval", "p t-test"],
      rows: entries.map { entry in
        [
          entry.group.name, "\(entry.userCount)", String(format: "%.4f", entry.baselineMean),
          String(format: "%.4f", entry.mean),
        ] + (entry.difference?.cells.dropLast() ?? [])
      }, leftColumns: 1)
  }

  /// The entries as rows of the comparison's CSV; the standard deviation over seeds is left out.
  func csvRows(split: Split, seeds: [[Int]]) -> [[String]] {
    entries.map { entry in
      let difference = entry.difference
      var cells = MetricDifference.csvCells(
        difference, group: entry.group.name, testCount: testCount)
      cells[3] = "\(entry.userCount)"
      return [
        entry.configuration, split.rawValue, entry.metric,
        seeds[entry.row].map { "\($0)" }.joined(separator: " "), CSV.number(entry.mean), "",
      ] + cells + [""]
    }
  }
}
