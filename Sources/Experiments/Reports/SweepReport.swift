import Foundation
import Runtime

/// The result of a sweep.
package struct SweepReport: Sendable, Encodable {
  package let schemaVersion = 1
  /// The metric by which settings are chosen: `recall@20`.
  package let selectionMetric: String
  /// Test metrics that are shown.
  package let metrics: [String]
  /// In the order of the grid.
  package let rows: [Row]
  /// The settings with the highest mean of the selection metric on validation, over all seeds.
  package let chosenByValidation: Row?
  /// The folder, relative to the sweep's, of the run of these settings that is best on validation.
  package let chosenFolder: String?
  /// What MMRec's rule would have reported: the single run with the highest selection metric on
  /// test. Not to be reported as a result.
  package let chosenByTest: SingleRun?
  package let failures: [Failure]
  /// Runs that were not begun, or interrupted.
  package let unfinishedCount: Int

  /// Settings and the results of their seeds.
  package struct Row: Sendable, Encodable {
    package let coordinates: [Coordinate]
    /// Of the finished runs.
    package let seeds: [Int]
    /// Whether all runs finished: otherwise the settings cannot be chosen.
    package let isComplete: Bool
    /// The selection metric on validation.
    package let valid: MeanAndDeviation?
    /// The metrics on test, by name.
    package let test: [String: MeanAndDeviation]

    enum CodingKeys: String, CodingKey {
      case coordinates, seeds, valid, test
      case isComplete = "is_complete"
    }
  }

  package struct SingleRun: Sendable, Encodable {
    package let coordinates: [Coordinate]
    package let seed: Int
    package let valid: Double?
    package let test: [String: Double]
    package let folder: String
  }

  package struct Failure: Sendable, Encodable {
    package let coordinates: [Coordinate]
    package let message: String
  }

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case selectionMetric = "selection_metric"
    case chosenByValidation = "chosen_by_validation"
    case chosenFolder = "chosen_folder"
    case chosenByTest = "chosen_by_test"
    case unfinishedCount = "unfinished_count"
    case metrics, rows, failures
  }

  /// - Parameters:
  ///   - runs: of all points, in their order.
  ///   - metrics: test metrics to show; empty means the selection metric and NDCG at its cutoff.
  /// - Throws: ``ExperimentError`` for a metric that no run has, and when the runs are selected by
  ///   different metrics.
  package init(_ runs: [SweepRun], metrics: [String] = []) throws {
    let selection = Set(runs.map(\.selectionMetric))
    guard let metric = selection.first, selection.count == 1 else {
      throw ExperimentError(
        .usage,
        "Cannot compare runs that are selected by different metrics "
          + "(\(selection.sorted().joined(separator: ", "))): take selection_metric out of "
          + "hyper_parameters.")
    }
    let finished = runs.filter { $0.state == .finished }
    let shown = metrics.isEmpty ? MetricNames.standard(metric) : MetricNames.normalized(metrics)
    if !metrics.isEmpty { try MetricNames.check(shown, in: finished.compactMap(\.result)) }
    let groups = SeedGroup.grouping(runs)
    selectionMetric = metric
    self.metrics = shown
    rows = groups.map { Row($0, selection: metric, metrics: shown) }
    let chosen = groups.bestByValidation
    chosenByValidation = chosen.map { Row($0, selection: metric, metrics: shown) }
    let value = { (run: SweepRun) in run.selectionValue(.valid) ?? -.infinity }
    chosenFolder = chosen?.runs.max { value($0) < value($1) }?.folder
    chosenByTest = runs.bestByTest.map { run in
      SingleRun(
        coordinates: run.coordinates, seed: run.seed, valid: run.selectionValue(.valid),
        test: (run.result?.test ?? [:]).filter { shown.contains($0.key) }, folder: run.folder)
    }
    failures = runs.filter { $0.state == .failed }.map {
      Failure(coordinates: $0.coordinates, message: $0.message)
    }
    unfinishedCount = runs.count { !$0.state.isOver }
  }
}

extension SweepReport.Row {
  init(_ group: SeedGroup, selection: String, metrics: [String]) {
    self.init(
      coordinates: group.coordinates,
      seeds: group.runs.filter { $0.state == .finished }.map(\.seed),
      isComplete: group.isComplete, valid: group.statistics(selection, .valid),
      test: Dictionary(
        uniqueKeysWithValues: metrics.compactMap { metric in
          group.statistics(metric, .test).map { (metric, $0) }
        }))
  }
}

extension SweepReport {
  /// The report as lines for a terminal.
  package var lines: [String] {
    let names = rows.map(\.coordinates).names
    let table = TextTable(
      header: names + ["seeds", "valid \(selectionMetric)"] + metrics.map { "test \($0)" },
      rows: rows.map { row in
        names.map { row.coordinates.value(of: $0) ?? "" }
          + ["\(row.seeds.count)", row.valid?.text ?? "–"]
          + metrics.map { row.test[$0]?.text ?? "–" }
      }, leftColumns: names.count)
    return table.lines + [""] + verdict
      + failures.map {
        "failed: \($0.coordinates.text): \($0.message)"
      }
      + (unfinishedCount > 0
        ? [
          "not finished: \(ProgressFormat.count(unfinishedCount, "run")); the same command resumes "
            + "the sweep"
        ] : [])
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
  package var csv: String {
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
