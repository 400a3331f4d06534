internal import Configuration
package import Experiments
internal import Recommenders
internal import Runtime

/// A report on several runs: those of a sweep, or configurations that are compared.
package struct ComparisonPage: Sendable {
  /// What is asked for.
  package struct Request: Sendable {
    /// Directories of runs, or of sweeps.
    package var paths: [String]
    /// The title; nil: what is compared.
    package var title: String?
    /// Where the data is, if it was moved after training.
    package var dataFolder: String?
    /// Empty: the usual ones.
    package var metrics: [String] = []
    package var split = Split.test
    /// Whether differences within groups of users and items are shown.
    package var byGroup = false
    /// Of the program.
    package var version: String

    package init(paths: [String], version: String) {
      (self.paths, self.version) = (paths, version)
    }
  }

  /// Called with what is done and the share of it that is; throws to stop.
  package typealias Progress = (_ stage: String, _ share: Double?) throws -> Void

  package let page: ReportPage
  /// Why parts are missing, as sentences.
  package let problems: [String]

  /// A report on configurations.
  ///
  /// - Throws: as `ComparedRuns.report`; what `progress` throws.
  package init(_ request: Request, comparing compared: ComparedRuns, progress: Progress) throws {
    let report = try compared.report(
      metrics: request.metrics, split: request.split, byGroup: request.byGroup,
      dataFolder: request.dataFolder
    ) { try progress("comparing users", nil) }
    let labels = report.rows.map(\.markedLabel)
    let metric = try Self.selectionMetric(compared.groups)
    var sections: [ReportSection?] = [ComparisonSections.effects(report)]
    sections += [
      ComparisonSections.groups(report),
      ComparisonSections.spread(
        compared.groups, labels: labels, metrics: report.metrics, split: request.split),
      try ComparedCurves.make(
        compared.groups, labels: labels, metric: metric, progress: progress),
      try ComparisonSections.parameters(compared.groups, labels: labels),
      ComparisonSections.searches(compared.searches),
      try ComparisonSections.runs(
        compared.groups, labels: labels, metric: metric, splits: Split.allCases),
    ]
    problems = []
    page = Self.page(
      request, kind: "Comparison of \(ProgressFormat.count(labels.count, "configuration"))",
      compared.groups, sections)
  }

  /// A report on a sweep, an ablation or a search.
  ///
  /// - Throws: errors with a sentence when its records cannot be read; what `progress` throws.
  package init(_ request: Request, sweep path: String, progress: Progress) throws {
    try progress("reading the sweep", nil)
    let folder = SweepFolder(existing: path)
    let store = try SweepStore(path: folder.storePath)
    let runs = try store.runs()
    try store.close()
    guard !runs.isEmpty else {
      throw ReportError(
        .inputMissing,
        "Cannot report on the sweep '\(path)': no run of it was planned. Start the sweep again.")
    }
    var problems: [String] = []
    let tuning = try TuningRecord(in: folder)
    var effects: ComparisonReport?
    if tuning == nil {
      do {
        effects = try SweepReport.effects(runs, in: folder, metrics: request.metrics) {
          try progress("comparing users", nil)
          return try PerUserMetrics.load(run: $0.path, dataFolder: request.dataFolder)
        }
      } catch {
        try progress("comparing users", nil)
        if request.dataFolder != nil { throw error }
        problems.append("the settings are not compared: \(error)")
      }
    }
    let results =
      try tuning == nil
      ? SweepReport(runs, metrics: request.metrics, effects: effects) : nil
    // Of a search only validation is shown: see `SweepReport`.
    let isSearch = tuning != nil || results?.searchSeeds.isEmpty == false
    let groups = ComparedGroup.groups(runs, in: folder) {
      $0.isEmpty ? "the only settings" : $0.text
    }.filter { !$0.runs.isEmpty }
    let labels = groups.map(\.label)
    let metric = runs[0].selectionMetric
    var sections: [ReportSection?] = [
      tuning.map { SweepSections.tuning($0, runs) }, results.map { SweepSections.results($0) },
      effects.map { ComparisonSections.effects($0) },
    ]
    sections += [
      ComparisonSections.spread(
        groups, labels: labels, metrics: effects?.metrics ?? [metric],
        split: isSearch ? .valid : .test),
      try ComparedCurves.make(groups, labels: labels, metric: metric, progress: progress),
      try ComparisonSections.parameters(groups, labels: labels),
      try ComparisonSections.runs(
        groups, labels: labels, metric: metric, splits: isSearch ? [.valid] : Split.allCases),
    ]
    let unfinished = runs.filter { $0.state != .finished && $0.state != .failed }.count
    if unfinished > 0, tuning == nil {
      problems.append(
        "\(unfinished) of \(runs.count) runs have not finished; the sweep's command resumes them.")
    }
    self.problems = problems
    page = Self.page(
      request,
      kind: isSearch
        ? "Search among settings"
        : "Sweep of \(ProgressFormat.count(labels.count, "configuration"))",
      groups, sections, problems)
  }

  private static func selectionMetric(_ groups: [ComparedGroup]) throws -> String {
    guard let run = groups.first?.runs.first else { return Metric.recall.name(at: 20) }
    return try ComparedRun.configuration(ofRun: run.path).value(of: "selection_metric")
      ?? Metric.recall.name(at: 20)
  }

  private static func page(
    _ request: Request, kind: String, _ groups: [ComparedGroup], _ sections: [ReportSection?],
    _ problems: [String] = []
  ) -> ReportPage {
    let results = groups.flatMap { $0.runs.map(\.result) }
    func distinct(_ texts: [String]) -> String { Set(texts).sorted().joined(separator: ", ") }
    var facts = FactList()
    facts.add("data set", distinct(results.map(\.dataset)))
    facts.add("model", distinct(results.map(\.model)))
    facts.add("configurations", "\(groups.count)")
    facts.add("finished runs", "\(results.count)")
    facts.add(
      "seeds",
      Set(groups.flatMap { $0.runs.map(\.seed) }).sorted().prefix(20).map { "\($0)" }
        .joined(separator: ", "))
    facts.add(
      "time of all runs",
      ProgressFormat.duration(results.compactMap { $0.seconds["total"] }.reduce(0, +)))
    let models = distinct(results.map(\.model))
    return ReportPage(
      title: request.title
        ?? "\(kind)\(models.isEmpty ? "" : ": \(models) on \(distinct(results.map(\.dataset)))")",
      subtitle: ProgressFormat.count(results.count, "finished run"),
      introduction: HTML([
        facts.html, HTML(problems.map { problem in .paragraph("warning") { "Note: \(problem)" } }),
      ]),
      sections: sections.compactMap { $0 },
      footer: "Made by mrdib report \(request.version) from "
        + request.paths.joined(separator: ", ") + ". One file, without scripts; nothing is loaded"
        + " from elsewhere.")
  }
}
