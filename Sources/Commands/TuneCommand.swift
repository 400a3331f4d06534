import ArgumentParser
import Configuration
import Experiments
import Files
import Foundation
import Runtime

struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Search settings by mean validation over seeds, within the cost of a few runs.",
    discussion: """
      Trains the defaults to their end; then other settings for a part of that, the best third of
      them further, and the best one or two of these, like the defaults, with all seeds (successive
      halving; runs are continued, not repeated). The settings with the highest mean of
      selection_metric on validation are chosen if they are better than the defaults by more than
      one standard error of the difference over the seeds; else the defaults are.

      Without --space it tries, one at a time: with MRdIB synergy_weight x 0.5 and x 2, alpha1 0
      and x 5, alpha3 0 and x 2.5, alpha2 0 and 0.05, gate_limit x 0.3 and x 3; with the plain loss
      learning_rate x 0.5 and x 2, reg_weight x 0.1 and x 10. The values around which it searches
      are those of --config, --set and the model.

      The search's folder holds tune.json (all that was tried, and the seeds of the search),
      chosen.yaml (the chosen settings, for --config), and the runs. The same command resumes a
      search that was stopped. Report results of other seeds than those of the search.

        mrdib tune --data lfm2k --model vbpr --run tunes/vbpr
        mrdib train --data lfm2k --config tunes/vbpr/chosen.yaml --seed 1 --run runs/tuned
      """)

  @OptionGroup var options: RunOptions
  @OptionGroup var table: TableOptions

  @Option(
    help: ArgumentHelp(
      "A YAML file whose hyper_parameters lists the settings to try, with their values; all "
        + "combinations are candidates (default: around the present values).",
      valueName: "file"), completion: .file())
  var space: String?

  @Option(
    help: ArgumentHelp(
      "The largest cost, in epochs, of runs as long as that of the defaults.", valueName: "runs"))
  var budget = 3.0

  @Option(help: ArgumentHelp("At least three seeds, separated by commas.", valueName: "list"))
  var seeds = "101,102,103"

  @Option(help: "How many runs are trained at the same time; they divide the processors.")
  var jobs = 1

  @Flag(help: "Check the settings and print the candidates without training.")
  var dryRun = false

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs must be at least 1.") }
    guard budget > 1, budget.isFinite else {
      throw ValidationError(
        "--budget is \(budget); expected more than 1, which is the run of the defaults.")
    }
    guard try SeedList.parsing(seeds).count >= 3 else {
      throw ValidationError("--seeds is '\(seeds)'; expected at least three.")
    }
  }

  func run() throws {
    try reporting {
      let request = options.request()
      let layers = try request.requestedLayers()
      let grid = try ConfigurationGrid(
        requested: layers + (space.map { [try ConfigurationLayer(file: $0)] } ?? []))
      for sentence in grid.replacedLists { StandardError.write("warning: \(sentence)") }
      // Of a grid among the settings themselves, the defaults have what is below it.
      let isGrid = try !ConfigurationGrid(requested: layers).axes.isEmpty
      let found =
        try grid.axes.isEmpty
        ? SearchSpace.standard(grid.layers, resolve: request.resolve)
        : SearchSpace(
          grid, defaults: isGrid ? grid.layers : layers, resolve: request.resolve)
      let tuning = try Tuning(
        space: found, seeds: try SeedList.parsing(seeds), budget: budget)
      if dryRun {
        return StandardOutput.write(found.candidates.map { $0.coordinates.text })
      }
      try search(tuning, name: options.experimentName("tune", isGrid ? grid.layers : layers))
    }
  }

  private func search(_ tuning: Tuning, name: String) throws {
    let execution = SingleProcessExecution(
      jobs: jobs, checkpointEpochs: 10, isQuiet: options.quiet)
    let (runner, folder) = try options.runner(
      name: name, execution: { _ in execution }, expectedRuns: nil, jobs: jobs, resumesRuns: true)
    let isQuiet = options.quiet
    let environment = Tuning.Environment(
      train: { try runner.run($0, pausingAfter: $1) },
      curve: { try ValidationCurve(run: folder.absolute($0.folder), metric: $0.selectionMetric) },
      report: { if !isQuiet { StandardError.write($0) } })
    guard let result = try tuning.run(in: environment) else {
      runner.endIfStopped()
      throw ArgumentParser.ExitCode(Runtime.ExitCode.failure.rawValue)
    }
    let report = TuningReport(result)
    let chosen = try folder.write(
      report,
      chosen: result.space.configuration(
        result.choice.candidate, resolve: options.request().resolve))
    try table.write(report, csv: report.csv, lines: report.lines)
    if !options.quiet {
      StandardError.write("next, with seeds that the search has not seen:")
      let seeds = SeedList.unused(3, besides: tuning.seeds)
      for seed in seeds { StandardError.write("  \(trainCommand(chosen, seed: seed))") }
    }
  }

  private func trainCommand(_ configuration: String, seed: Int) -> String {
    let data = options.data.map { ["--data", $0] } ?? []
    return
      ([CommandLine.arguments[0], "train"] + data
      + ["--config", configuration, "--seed", "\(seed)"])
      .map(ShellWord.quoted).joined(separator: " ")
  }
}

/// Seeds on a command line.
enum SeedList {
  /// - Throws: `ValidationError` for anything but distinct whole numbers from 0.
  static func parsing(_ text: String) throws -> [Int] {
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let list = words.compactMap { Int($0) }
    guard list.count == words.count, Set(list).count == list.count, list.allSatisfy({ $0 >= 0 })
    else {
      throw ValidationError(
        "--seeds is '\(text)'; expected distinct whole numbers from 0, such as 999,1,2.")
    }
    return list
  }

  /// Seeds for results: 999, 1, 2, … without some.
  static func unused(_ count: Int, besides used: [Int]) -> [Int] {
    Array(([999] + Array(1...(count + used.count))).filter { !used.contains($0) }.prefix(count))
  }
}
