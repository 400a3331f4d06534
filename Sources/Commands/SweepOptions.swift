import ArgumentParser
import Experiments
import Foundation
import RunConfiguration
import Runtime
import Settings

/// How results are printed.
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

/// The options of commands that make many runs.
struct SweepOptions: ParsableArguments {
  @Option(help: "Runs that are made at the same time, each on one thread.")
  var jobs = 1

  @Flag(help: "Make each run with a cluster of processes, as 'train' does, instead of in this one.")
  var cluster = false

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs must be at least 1.") }
    if cluster && jobs > 1 {
      throw ValidationError("--jobs is for runs in this process; leave it out with --cluster.")
    }
  }

  /// A runner in the folder that was named, or in one that the same experiments find again.
  ///
  /// - Parameter name: of the folder under `runs`, if none was named.
  func runner(
    _ options: RunOptions, name: String, expectedRuns: Int
  ) throws -> (runner: SweepRunner, folder: SweepFolder) {
    if !cluster {
      // Every run would meet it, and count as failed.
      try ProcessNeeds.singleProcess.check(.current(), for: "a run in one process")
    }
    let folder = try SweepFolder.create(
      at: options.runDirectory ?? "runs/\(name)", forgetting: options.overwrite)
    if !options.quiet { StandardError.write("sweep folder: \(folder.path)") }
    let signals = try SignalPipe.untilExit()
    let isQuiet = options.quiet
    let runner = try SweepRunner(
      request: options.request(), folder: folder,
      execution: cluster ? ClusterExecution(signals: signals) : SingleProcessExecution(),
      expectedRuns: expectedRuns, jobs: jobs, signals: signals
    ) { line in
      if !isQuiet { StandardError.write(line) }
    }
    return (runner, folder)
  }
}

extension SweepRunner {
  /// Ends the program if it was asked to stop. Whoever asked waits for it, and it for nobody.
  func endIfStopped() {
    guard let signal = stopSignal else { return }
    StandardError.write("mrdib: stopped; the same command goes on with what is missing")
    StandardOutput.leave(.signal(signal))
  }

  /// Names the runs that failed; why is in the report. Ends the command with a code that says so.
  func checkFailures(in runs: [SweepRun]) throws {
    let failed = runs.filter { $0.state == .failed }
    guard !failed.isEmpty else { return }
    let names = failed.prefix(8).map(\.name) + (failed.count > 8 ? ["…"] : [])
    StandardError.write(
      "mrdib: \(failed.count) of \(runs.count) runs failed (\(names.joined(separator: ", "))); the "
        + "same command makes them again")
    throw ArgumentParser.ExitCode(Runtime.ExitCode.failure.rawValue)
  }
}

extension RunOptions {
  /// A name for the experiments of these options: model, data set, and a digest of the settings
  /// that all share.
  func experimentName(_ kind: String, _ layers: [ConfigurationLayer]) throws -> String {
    let configuration = try request().resolve(layers)
    let folder = data ?? configuration.data.folder
    let name = folder.isEmpty ? "synthetic" : URL(fileURLWithPath: folder).lastPathComponent
    return "\(kind)-\(configuration.model.model)-\(name)-"
      + "\(configuration.digestAcrossSeeds.prefix(8))"
  }
}
