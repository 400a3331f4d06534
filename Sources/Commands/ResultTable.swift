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
    lines +=
      inColumns
      ? TextTable(header: header, rows: rows, leftColumns: 1).lines
      : ([header] + rows).map { $0.joined(separator: "\t") }
    if test.isEmpty {
      lines.append("no test metrics: no user with training interactions has test interactions")
    }
    self.lines = lines
  }

  private static func cell(_ value: Double?) -> String {
    value.map { String(format: "%.4f", $0) } ?? "-"
  }
}
