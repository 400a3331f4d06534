import ArgumentParser
import Coordinator
import Foundation
import Runtime
import Tensors
import Web

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model on this machine: a coordinator, servers and workers.",
    discussion: """
      Starts a process for every role, restarts processes that die, trains until the validation
      metric stops improving, and saves the best model in the run directory. The same command
      resumes a run that was stopped, also on data that has only grown since. Epochs are counted
      from 0, on the screen and in all files.

        mrdib train --data lfm2k --run runs/one
        mrdib train --data lfm2k --model freedom --set alpha1=0.05 --run runs/two
        mrdib train --data today --start-from runs/yesterday --run runs/today
        mrdib train --data lfm2k --dry-run
      """)

  @OptionGroup var options: RunOptions
  @OptionGroup var details: DetailOptions
  @OptionGroup var protection: KeyOptions
  @OptionGroup var telemetry: TelemetryOptions
  @OptionGroup var logs: LogOptions
  @OptionGroup var page: PageOptions

  @OptionGroup var continuation: ResumeOptions
  @OptionGroup var naming: TitleOptions

  @Flag(help: "Run the coordinator, one server and one worker in a single process.")
  var singleProcess = false

  @Flag(help: "Print the run's summary, or with --dry-run the plan, as JSON.")
  var json = false

  @Flag(help: "Check settings and data and print the plan without training.")
  var dryRun = false

  func validate() throws {
    _ = try details.detail(isQuiet: options.quiet)
    if singleProcess && protection.keys != nil {
      throw ValidationError("--single-process has no connections; leave --keys out.")
    }
  }

  func run() throws {
    try reporting {
      try logs.apply(role: "train", name: "train")
      // Checked here, so that an unusable folder is reported once and not by every process.
      _ = try protection.security(listens: true)
      _ = try naming.title()
      if !dryRun { try options.checkRunDirectory(continuation.resume) }
      let alone = ["workers", "servers"].map {
        RunRequest.Option(option: "--single-process", key: $0, value: "1")
      }
      let setup = try options.request(singleProcess ? alone : [])
        .load(showsProgress: !options.quiet)
      for warning in setup.warnings {
        StandardError.write("warning: \(warning)")
      }
      if !options.quiet { setup.initialWeightsLines.forEach(StandardError.write) }
      if dryRun {
        let plan = DryRun(setup)
        if json { return try StandardOutput.writeJSON(plan) }
        return StandardOutput.write(plan.lines)
      }
      let (directory, lock, continued) = try options.openRunDirectory(
        for: setup, continuation.resume)
      RunLog.keep(in: directory, of: "train")
      if !options.quiet { StandardError.write("run directory: \(directory.path)") }
      let outcome = try outcome(setup, directory, continuing: continued)
      let results = ResultTable.lines(runDirectory: directory.path, asJSON: json)
      // Released before results are written, because writing them may wait for their reader.
      lock.release()
      StandardOutput.write(results)
      if outcome.exitCode.isSuccess, !options.quiet {
        NextSteps(runDirectory: directory.path, data: setup.dataFolder)
          .lines.forEach(StandardError.write)
      }
      end(outcome)
    }
  }

  private func outcome(
    _ setup: RunSetup, _ directory: RunDirectory, continuing run: ResumableRun?
  ) throws -> RoleOutcome {
    guard let run else { return try train(setup, directory, nil) }
    if run.isFinished {
      try RunRecorder.completeRecords(of: run, in: directory, setup: setup)
      let news = "the run is finished: \(run.stored.message); --overwrite starts from scratch"
      if !options.quiet { StandardError.write(news) }
      return RoleOutcome(exitCode: .success, message: news)
    }
    return try train(setup, directory, run.stored.identity.id)
  }

  /// What the coordinator does about records that servers hold.
  private func resuming(_ setup: RunSetup) -> [String] {
    guard setup.copiesCheckpoints else { return [] }
    if case .path = continuation.resume { return [] }
    return ["--resume=\(options.overwrite ? .never : continuation.resume)"]
  }

  private func train(
    _ setup: RunSetup, _ directory: RunDirectory, _ runID: String?
  ) throws -> RoleOutcome {
    let signals = try SignalPipe.untilExit()
    let detail = try details.detail(isQuiet: options.quiet)
    if singleProcess {
      Lanes.setCount(setup.threads())
      let service = try telemetry.service(
        role: "train", name: "train", in: directory, patience: TelemetryOptions.longPatience
      ) { if !options.quiet { StandardError.write($0) } }
      return try TelemetryOptions.finishing(service) {
        let observer = RunObserver()
        let server = try page.serve(observer, isQuiet: options.quiet)
        defer { server?.stop() }
        let role = try SingleProcessRole(
          setup: setup, directory: directory, runID: runID ?? RunIdentifier.fresh(), detail: detail,
          title: try naming.title(), telemetry: service?.board, observer: observer)
        return try role.run(signals: signals)
      }
    }
    if !options.quiet { StandardError.write(ComputingThreads(setup.configuration).sentence) }
    // Servers may hold records of a run, which the coordinator finds.
    let choosesRun = runID == nil && setup.copiesCheckpoints
    let report = try LocalCluster(
      setup: setup, directory: directory,
      runID: choosesRun ? nil : runID ?? RunIdentifier.fresh(), detail: detail,
      keyFolder: protection.keys, title: try naming.title(),
      telemetry: try telemetry.settings(in: directory),
      coordinatorOptions: page.arguments + resuming(setup)
    ).run(signals: signals) { StandardError.writeOverStatus("mrdib: \($0)") }
    if detail == .verbose { StandardError.write(report.table()) }
    return RoleOutcome(
      exitCode: report.exitCode,
      message: report.failureMessage() ?? "the run was stopped; the same command resumes it")
  }
}
