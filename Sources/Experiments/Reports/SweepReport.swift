import Foundation
import Runtime

/// The result of a sweep.
///
/// A sweep with several settings of one model and objective is a search: validation chooses one of
/// them. Test metrics say nothing that the search may use, and those of the chosen settings are too
/// good with the seeds that chose them. So only theirs are shown, with a note, unless all are asked
/// for. The settings of a sweep over models or objectives are compared, not chosen: all are shown.
package struct SweepReport: Sendable, Encodable {
  package let schemaVersion = 2
  /// The metric by which settings are chosen: `recall@20`.
  package let selectionMetric: String
  /// Test metrics that are shown.
  package let metrics: [String]
  /// The seeds on which a search chose the settings; empty if the sweep is no search.
  package let searchSeeds: [Int]
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
  /// The settings compared with the first ones: of a search on validation, else on test.
  package let effects: ComparisonReport?

  /// Settings and the results of their seeds.
  package struct Row: Sendable, Encodable {
    package let coordinates: [Coordinate]
    /// Of the finished runs.
    package let seeds: [Int]
    /// Whether all runs finished: otherwise the settings cannot be chosen.
    package let isComplete: Bool
    /// The selection metric on validation.
    package let valid: MeanAndDeviation?
    /// The metrics on test, by name; of a search only for the chosen settings, unless those of its
    /// seeds are asked for.
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
    case searchSeeds = "search_seeds"
    case metrics, rows, failures, effects
  }

  /// - Parameters:
  ///   - runs: of all points, in their order.
  ///   - metrics: test metrics to show; empty means the selection metric and NDCG at its cutoff.
  ///   - includesSearchSeeds: whether test metrics of all settings of a search are shown.
  ///   - searchSeeds: those on which an earlier search chose settings of this sweep.
  ///   - effects: see ``effects(_:in:metrics:users:)``.
  /// - Throws: ``ExperimentError`` for a metric that no run has, and when the runs are selected by
  ///   different metrics.
  package init(
    _ runs: [SweepRun], metrics: [String] = [], includesSearchSeeds: Bool = false,
    searchSeeds: [Int] = [], effects: ComparisonReport? = nil
  ) throws {
    let metric = try Self.selectionMetric(of: runs)
    let finished = runs.filter { $0.state == .finished }
    let shown = metrics.isEmpty ? MetricNames.standard(metric) : MetricNames.normalized(metrics)
    if !metrics.isEmpty { try MetricNames.check(shown, in: finished.compactMap(\.result)) }
    let groups = SeedGroup.grouping(runs)
    let isSearch = SettingsSearch.isSearch(groups)
    let chosen = groups.bestByValidation
    selectionMetric = metric
    self.metrics = shown
    self.effects = effects
    self.searchSeeds = isSearch ? Set(finished.map(\.seed)).sorted() : searchSeeds
    rows = groups.map { group in
      let showsTest = !isSearch || includesSearchSeeds || group == chosen
      return Row(group, selection: metric, metrics: showsTest ? shown : [])
    }
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

  private static func selectionMetric(of runs: [SweepRun]) throws -> String {
    let selection = Set(runs.map(\.selectionMetric))
    guard let metric = selection.first, selection.count == 1 else {
      throw ExperimentError(
        .usage,
        "Cannot compare runs that are selected by different metrics "
          + "(\(selection.sorted().joined(separator: ", "))): take selection_metric out of "
          + "hyper_parameters.")
    }
    return metric
  }

  /// Compares the finished settings of a sweep with the first of them: of a search by the selection
  /// metric on validation, else by metrics on test.
  ///
  /// - Parameters:
  ///   - metrics: as of the report.
  ///   - users: the users' metrics of a run.
  /// - Returns: nil for fewer than two settings.
  /// - Throws: as the initializer and ``ComparisonReport``.
  package static func effects(
    _ runs: [SweepRun], in folder: SweepFolder, metrics: [String],
    users: (ComparedRun) throws -> PerUserMetrics
  ) throws -> ComparisonReport? {
    let compared = ComparedGroup.groups(runs, in: folder) { $0.text }.filter { !$0.runs.isEmpty }
    guard compared.count > 1 else { return nil }
    let metric = try selectionMetric(of: runs)
    let isSearch = SettingsSearch.isSearch(SeedGroup.grouping(runs))
    return try ComparisonReport(
      compared,
      metrics: isSearch
        ? [metric] : metrics.isEmpty ? MetricNames.standard(metric) : metrics,
      split: isSearch ? .valid : .test, users: users)
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
    // With test metrics of one row the verdict has them.
    let columns = rows.count { !$0.test.isEmpty } > 1 || searchSeeds.isEmpty ? metrics : []
    let mark = searchSeeds.isEmpty ? "" : " *"
    let table = TextTable(
      header: names + ["seeds", "valid \(selectionMetric)"] + columns.map { "test \($0)\(mark)" },
      rows: rows.map { row in
        names.map { row.coordinates.value(of: $0) ?? "" }
          + ["\(row.seeds.count)", row.valid?.text ?? "–"]
          + columns.map { row.test[$0]?.text ?? "–" }
      }, leftColumns: names.count)
    return table.lines + [""] + (effects.map { $0.lines + [""] } ?? []) + verdict
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
    let mark = searchSeeds.isEmpty ? "" : " *"
    var lines = [
      "chosen by validation (mean \(selectionMetric)): \(label(winner.coordinates))  valid "
        + "\(valid.text)"
    ]
    lines += metrics.compactMap { name in
      winner.test[name].map { "  test \(name) \($0.text)\(mark)" }
    }
    if let run = chosenByTest {
      lines.append(
        "MMRec's rule (highest test \(selectionMetric) of a single run, not a fair estimate): "
          + label(run.coordinates)
          + metrics.compactMap { name in
            run.test[name].map { "  test \(name) " + String(format: "%.4f", $0) }
          }.joined())
    }
    if !searchSeeds.isEmpty {
      lines.append(
        "* with the seeds that chose the settings, so too good; report these with other seeds"
      )
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
    let changes = effects.map { effects in effects.metrics.map { (effects, $0) } } ?? []
    let header =
      names + ["seeds", "complete"] + columns("valid.\(selectionMetric)")
      + metrics.flatMap { columns("test.\($0)") } + ["chosen_by_validation", "chosen_by_test"]
      + changes.flatMap { effects, metric in
        MetricDifference.changeColumns.map { "\(effects.split.rawValue).\(metric).\($0)" }
      }
    return CSV.text(
      [header]
        + rows.map { row in
          let isBest = row.coordinates == chosenByValidation?.coordinates
          let isBestByTest = row.coordinates == chosenByTest?.coordinates.acrossSeeds
          return names.map { row.coordinates.value(of: $0) ?? "" }
            + ["\(row.seeds.count)", "\(row.isComplete)"] + cells(row.valid)
            + metrics.flatMap { cells(row.test[$0]) } + ["\(isBest)", "\(isBestByTest)"]
            + changes.flatMap { effects, metric in
              let compared = effects.rows.first { $0.label == row.coordinates.text }
              return MetricDifference.changeCells(compared?.differences[metric])
            }
        })
  }
}
