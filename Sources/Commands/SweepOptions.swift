import ArgumentParser
import Configuration
import Experiments
import Foundation
import Runtime
import Settings

/// The format of results.
struct TableOptions: ParsableArguments {
  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print CSV, unrounded.")
  var csv = false

  func validate() throws {
    if json && csv { throw ValidationError("--json and --csv exclude each other.") }
  }

  func write(_ value: some Encodable, csv text: String, lines: [String]) throws {
    if json { return try StandardOutput.writeJSON(value) }
    if csv { return StandardOutput.write(text: text) }
    StandardOutput.write(lines)
  }
}

/// The options of commands that train many runs.
struct SweepOptions: ParsableArguments {
  @Option(help: "How many runs are trained at the same time; they divide the processors.")
  var jobs = 1

  @Flag(help: "Train each run with a cluster of processes, as 'train' does, not in this process.")
  var cluster = false

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs must be at least 1.") }
    if cluster && jobs > 1 {
      throw ValidationError("--jobs is for runs in this process; leave it out with --cluster.")
    }
  }

  /// A runner in the folder of `--run`, or in one that the same command finds again.
  ///
  /// - Parameter name: of the folder under `runs` without `--run`.
  func runner(
    _ options: RunOptions, name: String, expectedRuns: Int
  ) throws -> (runner: SweepRunner, folder: SweepFolder) {
    try options.runner(
      name: name,
      execution: { signals in
        if cluster { return ClusterExecution(signals: signals) }
        return SingleProcessExecution(jobs: jobs, isQuiet: options.quiet)
      },
      expectedRuns: expectedRuns, jobs: jobs)
  }
}

extension SweepRunner {
  /// Ends the program if a signal asked to stop, without waiting for readers of its output.
  func endIfStopped() {
    guard let signal = stopSignal else { return }
    StandardError.write("mrdib: stopped; the same command resumes with the missing runs")
    StandardOutput.leave(.signal(signal))
  }

  /// Names the failed runs, whose reasons are in the report, and throws the exit code 1.
  func checkFailures(in runs: [SweepRun]) throws {
    let failed = runs.filter { $0.state == .failed }
    guard !failed.isEmpty else { return }
    let names = failed.prefix(8).map(\.name) + (failed.count > 8 ? ["…"] : [])
    StandardError.write(
      "mrdib: \(failed.count) of \(runs.count) runs failed (\(names.joined(separator: ", "))); the "
        + "same command trains them again")
    throw ArgumentParser.ExitCode(Runtime.ExitCode.failure.rawValue)
  }
}

extension RunOptions {
  /// A runner of many runs in the folder of `--run`, or in one that the same command finds again.
  /// The process holds the folder's lock until it exits.
  ///
  /// - Parameters:
  ///   - name: of the folder under `runs` without `--run`.
  ///   - execution: how the runs are trained.
  ///   - expectedRuns: how many there will be; nil if that depends on their results.
  ///   - jobs: how many are trained at the same time.
  ///   - resumesRuns: whether an interrupted run is resumed rather than trained from scratch.
  func runner(
    name: String, execution: (SignalPipe) -> any RunExecution, expectedRuns: Int?, jobs: Int,
    resumesRuns: Bool = false
  ) throws -> (runner: SweepRunner, folder: SweepFolder) {
    let signals = try SignalPipe.untilExit()
    let execution = execution(signals)
    if execution is SingleProcessExecution {
      // Checked once here; otherwise every run would fail with it.
      try ProcessNeeds.singleProcess().check(.current(), for: "a run in one process")
    }
    let (folder, _) = try SweepFolder.open(
      at: runDirectory ?? "runs/\(name)", forgetting: overwrite)
    if !quiet { StandardError.write("sweep folder: \(folder.path)") }
    let isQuiet = quiet
    let runner = try SweepRunner(
      request: request(), folder: folder, execution: execution, expectedRuns: expectedRuns,
      jobs: jobs, resumesRuns: resumesRuns, signals: signals
    ) { line in
      if !isQuiet { StandardError.write(line) }
    }
    return (runner, folder)
  }

  /// A folder name for the experiments of these options: model, data set, and a digest of their
  /// common settings.
  func experimentName(_ kind: String, _ layers: [ConfigurationLayer]) throws -> String {
    let configuration = try request().resolve(layers)
    let folder = data ?? configuration.data.folder
    let name = folder.isEmpty ? "synthetic" : URL(fileURLWithPath: folder).lastPathComponent
    return "\(kind)-\(configuration.model.model)-\(name)-"
      + "\(configuration.digestAcrossSeeds.prefix(8))"
  }
}
