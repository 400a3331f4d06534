import Foundation
import Runtime

extension ComparisonReport {
  /// One table per metric, for a terminal.
  public var lines: [String] {
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
  public var csv: String {
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
