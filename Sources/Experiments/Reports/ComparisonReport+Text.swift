import Files
import Foundation
import Recommenders
import Runtime

/// The tables as text, and as CSV.
extension ComparisonReport {
  /// One text table per metric, then those of groups, then notes.
  package var lines: [String] {
    let labels = TableLabels(rows.map(\.markedLabel)) { labels in table(metrics[0], labels) }
    return labels.legend + metrics.flatMap { table($0, labels.shown).lines + [""] }
      + (groups?.lines(of: rows.map(\.markedLabel)) ?? []) + notes
  }

  private func table(_ metric: String, _ labels: [String]) -> TextTable {
    TextTable(
      header: [
        "\(split.rawValue) \(metric)", "seeds", "mean ± std", "change", "95 % interval", "p t-test",
        "p Wilcoxon",
      ],
      rows: rows.enumerated().map { position, row in
        [labels[position], "\(row.seeds.count)", row.values[metric]?.text ?? "–"]
          + (row.differences[metric]?.cells ?? [position == 0 ? "baseline" : "–", "", "", ""])
      }, leftColumns: 1)
  }

  /// What a reader of the tables must know, as lines.
  package var notes: [String] {
    let differences = rows.flatMap { $0.differences.values }
    guard !differences.isEmpty else { return [] }
    let counts = Set(differences.map(\.userCount)).subtracting([0]).sorted()
    guard !counts.isEmpty else {
      return ["these metrics have no values per user, so there are no intervals and no tests"]
    }
    let users = counts.map { "\($0)" }.joined(separator: ", ")
    let isUnpaired = differences.contains { $0.pairedSeeds.isEmpty }
    var notes = [
      "95 % interval: of the change, from \(resampleCount) resamples of users and seeds together",
      "p: two-sided, paired over \(users) users, each with the mean over "
        + (isUnpaired ? "seeds" : "the seeds in common"),
    ]
    if testCount > 1 {
      notes[1] += ";"
      notes.append("   corrected by Holm's method over the \(testCount) differences above")
    }
    if isUnpaired { notes.append("not all configurations share seeds") }
    if rows.contains(where: { $0.seeds.count == 1 }) {
      notes.append("with one seed an interval says nothing of how results vary with the seed")
    }
    if rows.contains(where: { !$0.searchSeeds.isEmpty }) {
      notes.append("* with the seeds on which a search chose the settings, so too good")
    }
    return notes
  }

  /// One line per configuration and metric, then per group, unrounded.
  package var csv: String {
    let header = [
      "configuration", "split", "metric", "seeds", "mean", "std", "relative_gain", "p_t_test",
      "p_wilcoxon", "users", "group", "gain", "gain_lower", "gain_upper", "relative_gain_lower",
      "relative_gain_upper", "p_t_test_holm", "p_wilcoxon_holm", "tests", "search_seeds",
    ]
    let whole = rows.flatMap { row in
      metrics.map { metric in
        let seeds = [row.seeds, row.searchSeeds].map { seeds in
          seeds.map { "\($0)" }.joined(separator: " ")
        }
        let value = row.values[metric]
        return [row.label, split.rawValue, metric, seeds[0]]
          + [CSV.number(value?.mean), CSV.number(value?.deviation)]
          + MetricDifference.csvCells(row.differences[metric], group: "all", testCount: testCount)
          + [seeds[1]]
      }
    }
    let ofGroups = groups?.csvRows(split: split, seeds: rows.map(\.seeds)) ?? []
    return CSV.text([header] + whole + ofGroups)
  }
}

extension ComparisonReport.Row {
  /// The label, with a mark if seeds of a search are included.
  package var markedLabel: String { searchSeeds.isEmpty ? label : label + " *" }
}

extension MetricDifference {
  /// The change, its interval, and the corrected p-values.
  package var cells: [String] {
    [
      relativeGain.map { String(format: "%+.2f %%", $0 * 100) } ?? "–",
      relativeGainInterval.map {
        String(format: "%+.2f … %+.2f %%", $0.lower * 100, $0.upper * 100)
      } ?? "–",
      tTestHolmPValue.map(Self.probability) ?? "–",
      wilcoxonHolmPValue.map(Self.probability) ?? "–",
    ]
  }

  static func probability(_ value: Double) -> String {
    String(format: value >= 0.0001 ? "%.4f" : "%.1e", value)
  }

  /// The columns of a change in tables with a line per configuration.
  static let changeColumns = [
    "relative_gain", "relative_gain_lower", "relative_gain_upper", "p_t_test", "p_t_test_holm",
    "p_wilcoxon_holm",
  ]

  /// The cells of ``changeColumns``.
  static func changeCells(_ difference: MetricDifference?) -> [String] {
    [
      difference?.relativeGain, difference?.relativeGainInterval?.lower,
      difference?.relativeGainInterval?.upper, difference?.tTestPValue,
      difference?.tTestHolmPValue, difference?.wilcoxonHolmPValue,
    ].map(CSV.number)
  }

  /// The cells of a table from `relative_gain` to `tests`.
  static func csvCells(
    _ difference: MetricDifference?, group: String, testCount: Int
  ) -> [String] {
    [
      CSV.number(difference?.relativeGain), CSV.number(difference?.tTestPValue),
      CSV.number(difference?.wilcoxonPValue), difference.map { "\($0.userCount)" } ?? "", group,
      CSV.number(difference?.gain), CSV.number(difference?.gainInterval?.lower),
      CSV.number(difference?.gainInterval?.upper),
      CSV.number(difference?.relativeGainInterval?.lower),
      CSV.number(difference?.relativeGainInterval?.upper),
      CSV.number(difference?.tTestHolmPValue), CSV.number(difference?.wilcoxonHolmPValue),
      difference == nil ? "" : "\(testCount)",
    ]
  }
}

/// The labels of a table's rows, or numbers with a legend if the table would be too wide with them.
struct TableLabels {
  /// How wide a table may be.
  static let largestWidth = 100

  let shown: [String]
  /// What the numbers stand for, and an empty line; nothing if the labels are shown.
  let legend: [String]

  /// - Parameter table: a table with some labels.
  init(_ labels: [String], table: ([String]) -> TextTable) {
    guard table(labels).lines.contains(where: { $0.count > Self.largestWidth }) else {
      (shown, legend) = (labels, [])
      return
    }
    shown = labels.indices.map { "(\($0 + 1))" }
    legend = zip(shown, labels).map { "\($0)  \($1.sanitized(atMost: 400))" } + [""]
  }
}
