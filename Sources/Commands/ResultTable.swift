import Foundation
import Recommenders
import Runtime

/// A run's summary as a table or JSON.
struct ResultTable {
  /// The result of a run; empty if it has no summary.
  static func lines(runDirectory: String, asJSON: Bool) -> [String] {
    guard let table = ResultTable(runDirectory: runDirectory) else { return [] }
    return asJSON ? [table.json] : table.lines
  }

  let json: String
  let lines: [String]

  /// nil if the run has no summary.
  init?(runDirectory: String) {
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
    lines += ["best epoch \(best) of \(summary["epochs_run"] ?? "?")"]
    lines.append("metric\tvalid\ttest")
    for name in Metric.sorted(Set(valid.keys).union(test.keys)) {
      lines.append("\(name)\t\(Self.cell(valid[name]))\t\(Self.cell(test[name]))")
    }
    if test.isEmpty {
      lines.append("no test metrics: no user with training interactions has test interactions")
    }
    self.lines = lines
  }

  private static func cell(_ value: Double?) -> String {
    value.map { String(format: "%.4f", $0) } ?? "-"
  }
}
