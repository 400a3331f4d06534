import Foundation
import Recommenders
import Runtime

/// A run's summary as a table or JSON.
struct ResultTable {
  /// The result of a run; empty if it has no summary. Cells are separated by tabs for other
  /// programs, and stand in columns on a terminal.
  static func lines(runDirectory: String, asJSON: Bool) -> [String] {
    let inColumns = ProcessOutput.isResultsTerminal
    guard let table = ResultTable(runDirectory: runDirectory, inColumns: inColumns) else {
      return []
    }
    return asJSON ? [table.json] : table.lines
  }

  let json: String
  let lines: [String]

  /// nil if the run has no summary.
  init?(runDirectory: String, inColumns: Bool = false) {
    guard let bytes = try? RunSummary.contents(in: RunDirectory(existing: runDirectory)),
      let summary = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
    else { return nil }
    json = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
    guard let best = summary["best_epoch"] as? Int,
      let valid = summary["valid"] as? [String: Double],
      let test = summary["test"] as? [String: Double]
    else {
      lines = ["no best model was saved"]
      return
    }
    let isOver = !["interrupted", "failed"].contains(summary["outcome"] as? String)
    var lines = isOver ? [] : ["the run has not ended; results so far:"]
    let count = summary["epochs_run"] as? Int ?? best + 1
    lines.append("best epoch \(best); trained: \(count == 1 ? "epoch 0" : "0 to \(count - 1)")")
    let rows = Metric.sorted(Set(valid.keys).union(test.keys)).map { name in
      [name, Self.cell(valid[name]), Self.cell(test[name])]
    }
    let header = ["metric", "valid", "test"]
    lines += Self.table(header, rows, inColumns: inColumns)
    if test.isEmpty {
      lines.append("no test metrics: no user with training interactions has test interactions")
    }
    lines += Self.groups(in: summary, inColumns: inColumns)
    self.lines = lines
  }

  /// A table of the groups of the test split, or of validation if it has none.
  private static func groups(in summary: [String: Any], inColumns: Bool) -> [String] {
    let bySplit = summary["groups"] as? [String: [[String: Any]]] ?? [:]
    let split = bySplit["test"] == nil ? "valid" : "test"
    let groups = bySplit[split] ?? []
    let selection = (summary["selection"] as? [String: Any])?["metric"] as? String
    let cutoff = selection?.split(separator: "@").last.flatMap { Int($0) } ?? 20
    let names = Metric.headline.map { $0.name(at: cutoff) }.filter { name in
      groups.contains { ($0["metrics"] as? [String: Any])?[name] != nil }
    }
    let rows = groups.compactMap { group -> [String]? in
      guard let kind = (group["kind"] as? String).flatMap(InteractionGroup.Kind.init),
        let fewest = group["fewest"] as? Int, let most = group["most"] as? Int,
        let metrics = group["metrics"] as? [String: Any]
      else { return nil }
      let name = InteractionGroup(kind: kind, fewest: fewest, most: most).name
      return [name, "\(group["users"] as? Int ?? 0)"]
        + names.map { cell(metrics[$0] as? Double) }
    }
    guard !rows.isEmpty else { return [] }
    return [split + ", by training interactions:"]
      + table(["group", "users"] + names, rows, inColumns: inColumns)
  }

  private static func table(
    _ header: [String], _ rows: [[String]], inColumns: Bool
  ) -> [String] {
    inColumns
      ? TextTable(header: header, rows: rows, leftColumns: 1).lines
      : ([header] + rows).map { $0.joined(separator: "\t") }
  }

  private static func cell(_ value: Double?) -> String {
    value.map { String(format: "%.4f", $0) } ?? "-"
  }
}
