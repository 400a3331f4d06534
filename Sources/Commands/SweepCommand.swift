import ArgumentParser
import Configuration
import Experiments
import Runtime
import Web

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Train a grid of settings and choose the best by validation.",
    discussion: """
      A grid is a configuration file in which 'hyper_parameters: [alpha1, seed]' names the settings
      whose lists are values to try; all combinations are trained, the last name changing fastest.
      Runs that differ only in their seed are repetitions: the settings with the highest mean of
      selection_metric on validation are chosen. For comparison, the report also shows what MMRec's
      rule, the best single run on test, would have chosen.

      All settings are compared with the first ones: change, 95 % interval and corrected p-values,
      as 'compare' gives them. If there are several settings of one model and objective, the sweep
      is a search: it compares on validation, and shows test metrics of the chosen settings only.
      They are too good with the seeds that chose them; train the chosen settings with other seeds
      to report them: with --search, seeds on which a sweep or 'tune' chose them are refused.

      Each run has a folder under runs/ of the sweep's folder. sweep.csv holds all results so far;
      the same command resumes an interrupted sweep.

      --coordinate alpha1,alpha3,alpha2 tries one setting after the other instead of all
      combinations. Before its turn the weight of a term (alpha1, alpha2, alpha3, synergy_weight)
      is 0, and any other setting has its first value; after each turn the best settings so far, by
      validation, are kept.

        mrdib sweep --data lfm2k --config grid.yaml --run sweeps/vbpr
        mrdib sweep --data lfm2k --config grid.yaml --run sweeps/vbpr --coordinate alpha1,alpha3
      """)

  @OptionGroup var options: RunOptions
  @OptionGroup var sweep: SweepOptions
  @OptionGroup var earlier: SearchOptions
  @OptionGroup var table: TableOptions
  @OptionGroup var page: PageOptions

  @Option(
    help: ArgumentHelp(
      "Settings to search one after the other, in this order, separated by commas (default: none, "
        + "all combinations).",
      valueName: "names"))
  var coordinate: String?

  @Option(
    name: .customLong("metric"),
    help: """
      A test metric to show; may be given several times (default: selection_metric, and NDCG at \
      the same cutoff).
      """)
  var metrics: [String] = []

  @Flag(help: "Check the grid and print its points without training.")
  var dryRun = false

  func run() throws {
    try reporting {
      let grid = try ConfigurationGrid(requested: options.request().requestedLayers())
      try checkGrid(grid)
      for sentence in grid.replacedLists { StandardError.write("warning: \(sentence)") }
      let search = try coordinate.map { names in
        try CoordinateSearch(
          grid: grid, order: names.split(separator: ",").map { $0.trimming { $0 == " " } })
      }
      let points = SweepPoint.all(of: grid)
      if dryRun {
        let first = try search?.points(turn: 0, chosen: search?.start() ?? []) ?? points
        return StandardOutput.write(first.map(\.name))
      }
      let searchSeeds = try earlier.searches().seeds(thatChose: points, request: options.request())
      try earlier.check(searchSeeds, purpose: "sweep")
      let (runner, folder) = try sweep.runner(
        options, name: options.experimentName("sweep", grid.layers),
        expectedRuns: search?.runCount ?? points.count)
      let server = try page.serve(WatchedFolder(path: folder.path), isQuiet: options.quiet)
      defer { server?.stop() }
      let runs = try search?.run { try runner.run($0) } ?? runner.run(points)
      let report = try SweepReport(
        runs, metrics: metrics, includesSearchSeeds: earlier.includeSearchSeeds,
        searchSeeds: searchSeeds,
        effects: runner.stopSignal == nil ? effects(runs, in: folder) : nil)
      try table.write(report, csv: report.csv, lines: report.lines)
      runner.endIfStopped()
      if let chosen = report.chosenFolder, !options.quiet {
        let run = "\(folder.path)/\(chosen)"
        try NextSteps(
          runDirectory: run, data: TrainedData.folder(ofRun: run), compared: folder.path,
          introduction: "the best run of the chosen settings, by validation, is in"
        ).lines.forEach(StandardError.write)
      }
      try runner.checkFailures(in: runs)
      if report.chosenByValidation == nil {
        throw ArgumentParser.ExitCode(Runtime.ExitCode.failure.rawValue)
      }
    }
  }

  /// The settings compared with the first ones. The results of a long sweep are worth more than
  /// this, so that its failure is only a warning.
  private func effects(_ runs: [SweepRun], in folder: SweepFolder) -> ComparisonReport? {
    do {
      return try SweepReport.effects(runs, in: folder, metrics: metrics) {
        try PerUserMetrics.load(run: $0.path, dataFolder: options.data)
      }
    } catch {
      StandardError.write("warning: the settings are not compared: \(error)")
      return nil
    }
  }

  /// - Throws: ``RuntimeError`` for a grid of no settings: that would be `mrdib train`.
  private func checkGrid(_ grid: ConfigurationGrid) throws {
    guard grid.axes.isEmpty else { return }
    throw RuntimeError(
      exitCode: .usage,
      message: "Cannot begin a sweep: no grid: no hyper_parameters name the settings to try. Give "
        + "them and their values, such as --set 'learning_rate=[0.001, 0.0005]' --set "
        + "'seed=[1, 2, 3]' --set 'hyper_parameters=[learning_rate, seed]', or as lines of a file "
        + "with --config; mrdib train trains one run.")
  }
}

extension Substring {
  /// Without leading and trailing characters of a kind.
  fileprivate func trimming(_ isTrimmed: (Character) -> Bool) -> String {
    String(drop(while: isTrimmed).reversed().drop(while: isTrimmed).reversed())
  }
}
