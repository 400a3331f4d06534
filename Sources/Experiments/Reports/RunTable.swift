import Recommenders

/// `sweep.csv`: one line per run with all its metrics, unrounded.
package struct RunTable: Sendable {
  private let runs: [SweepRun]

  package init(_ runs: [SweepRun]) { self.runs = runs }

  package var csv: String {
    let coordinates = runs.map(\.coordinates.acrossSeeds).names
    let metrics = Metric.sorted(
      Set(runs.flatMap { ($0.result?.valid ?? [:]).keys })
        .union(runs.flatMap { ($0.result?.test ?? [:]).keys }))
    let columns = Split.allCases.flatMap { split in metrics.map { (split, $0) } }
    let header =
      coordinates + ["seed", "state", "best_epoch", "epochs_run", "seconds"]
      + columns.map { "\($0.rawValue).\($1)" } + ["folder", "message"]
    let rows = runs.map { run in
      let place = coordinates.map { run.coordinates.value(of: $0) ?? "" }
      let values = columns.map { CSV.number(run.result?.value($1, $0)) }
      return place + progress(run) + values + [run.folder, run.message]
    }
    return CSV.text([header] + rows)
  }

  private func progress(_ run: SweepRun) -> [String] {
    [
      "\(run.seed)", run.state.rawValue, run.result?.bestEpoch.map { "\($0)" } ?? "",
      run.result.map { "\($0.epochsRun)" } ?? "", CSV.number(run.result?.seconds["total"]),
    ]
  }
}

/// Comma-separated values.
///
/// - Source: RFC 4180, with `\n` at the end of lines.
enum CSV {
  static func text(_ rows: [[String]]) -> String {
    rows.map { $0.map(field).joined(separator: ",") + "\n" }.joined()
  }

  /// Quoted if the text has commas, quotes or line ends; quotes are doubled.
  static func field(_ text: String) -> String {
    // Compares scalars, because "\r\n" is one character.
    let isPlain = !text.unicodeScalars.contains { ",\"\n\r".unicodeScalars.contains($0) }
    return isPlain
      ? text
      : "\""
        + text.split(separator: "\"", omittingEmptySubsequences: false)
        .joined(separator: "\"\"") + "\""
  }

  /// The shortest decimal that reads back to the same bits; empty for nil.
  static func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
}
