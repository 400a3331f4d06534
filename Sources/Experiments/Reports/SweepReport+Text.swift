import Foundation
import Runtime

extension SweepReport {
  /// The report as lines for a terminal.
  public var lines: [String] {
    let names = rows.map(\.coordinates).names
    let table = TextTable(
      header: names + ["seeds", "valid \(selectionMetric)"] + metrics.map { "test \($0)" },
      rows: rows.map { row in
        names.map { row.coordinates.value(of: $0) ?? "" }
          + ["\(row.seeds.count)", row.valid?.text ?? "–"]
          + metrics.map { row.test[$0]?.text ?? "–" }
      }, leftColumns: names.count)
    return table.lines + [""] + verdict + failures.map {
      "failed: \($0.coordinates.text): \($0.message)"
    } + (unfinishedCount > 0
      ? ["not finished: \(unfinishedCount) runs; the same command goes on with them"] : [])
  }

  private var verdict: [String] {
    guard let winner = chosenByValidation, let valid = winner.valid else {
      return ["no settings finished with all their seeds, so none is chosen"]
    }
    var lines = [
      "chosen by validation (mean \(selectionMetric)): \(label(winner.coordinates))  valid "
        + "\(valid.text)"
        + metrics.compactMap { name in winner.test[name].map { "  test \(name) \($0.text)" } }
        .joined()
    ]
    if let run = chosenByTest {
      lines.append(
        "MMRec's rule (highest test \(selectionMetric) of a single run, not a fair estimate): "
          + label(run.coordinates)
          + metrics.compactMap { name in
            run.test[name].map { "  test \(name) " + String(format: "%.4f", $0) }
          }.joined())
    }
    return lines
  }

  private func label(_ coordinates: [Coordinate]) -> String {
    coordinates.isEmpty ? "the only settings" : coordinates.text
  }

  /// One line per settings, unrounded.
  public var csv: String {
    let names = rows.map(\.coordinates).names
    func columns(_ name: String) -> [String] { ["\(name).mean", "\(name).std"] }
    func cells(_ value: MeanAndDeviation?) -> [String] {
      [CSV.number(value?.mean), CSV.number(value?.deviation)]
    }
    let header =
      names + ["seeds", "complete"] + columns("valid.\(selectionMetric)")
      + metrics.flatMap { columns("test.\($0)") } + ["chosen_by_validation", "chosen_by_test"]
    return CSV.text(
      [header]
        + rows.map { row in
          let isBest = row.coordinates == chosenByValidation?.coordinates
          let isBestByTest = row.coordinates == chosenByTest?.coordinates.acrossSeeds
          return names.map { row.coordinates.value(of: $0) ?? "" }
            + ["\(row.seeds.count)", "\(row.isComplete)"] + cells(row.valid)
            + metrics.flatMap { cells(row.test[$0]) } + ["\(isBest)", "\(isBestByTest)"]
        })
  }
}
