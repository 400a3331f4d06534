import Configuration
import Runtime
import Tensors

/// A way to train one run of a sweep.
package protocol RunExecution: Sendable {
  /// Settings that this way needs, above all others; none influences the result.
  var layers: [ConfigurationLayer] { get throws }

  /// Trains, from where the run in the directory is, if there is one.
  ///
  /// - Parameters:
  ///   - pause: after how many epochs it stops and can be resumed; nil: it trains to its end.
  ///   - signals: requests to stop.
  /// - Returns: how it ended; with the code of a signal if it was stopped or paused.
  /// - Throws: errors with a sentence when it cannot begin.
  func run(
    _ input: RunInput, in directory: RunDirectory, pausingAfter pause: Int?,
    signals: any StopSignals
  ) throws -> RoleOutcome
}

/// Runs coordinator, one server and one worker in this process on the calling thread, which
/// computes with lanes of its own.
package struct SingleProcessExecution: RunExecution {
  private let jobs: Int
  private let checkpointEpochs: Int
  private let detail: ProgressDetail

  /// - Parameters:
  ///   - jobs: how many runs share the processors.
  ///   - checkpointEpochs: how many epochs are trained between two checkpoints, from which a run
  ///     resumes that was killed; 0: only a run that is stopped writes one.
  ///   - isQuiet: whether nothing shows where a run is. Several at a time do not show it either.
  package init(jobs: Int = 1, checkpointEpochs: Int = 0, isQuiet: Bool = true) {
    self.jobs = jobs
    self.checkpointEpochs = checkpointEpochs
    detail = isQuiet || jobs > 1 ? .quiet : .brief
  }

  package var layers: [ConfigurationLayer] {
    get throws {
      try [
        ("workers", "1"), ("servers", "1"), ("checkpoint_epochs", "\(checkpointEpochs)"),
      ].map { key, value in
        try ConfigurationLayer(option: "a run in one process", key: key, value: value)
      }
    }
  }

  package func run(
    _ input: RunInput, in directory: RunDirectory, pausingAfter pause: Int?,
    signals: any StopSignals
  ) throws -> RoleOutcome {
    let setup = try input.setup()
    return try Lanes.$ofScope.withValue(Lanes(count: setup.threads(jobs: jobs))) {
      try SingleProcessRole(
        setup: setup, directory: directory, runID: RunIdentifier.fresh(),
        pausingAfter: pause, detail: detail
      ).run(signals: signals)
    }
  }
}

/// Starts a cluster of processes on this machine. One run at a time, because each run reads the
/// process's signals itself.
package struct ClusterExecution: RunExecution {
  private let signals: SignalPipe

  package init(signals: SignalPipe) { self.signals = signals }

  package var layers: [ConfigurationLayer] { [] }

  /// - Throws: also ``ExperimentError`` for a pause: its processes train to the end.
  package func run(
    _ input: RunInput, in directory: RunDirectory, pausingAfter pause: Int?,
    signals _: any StopSignals
  ) throws -> RoleOutcome {
    guard pause == nil else {
      throw ExperimentError(
        .usage, "Cannot pause a run of a cluster of processes: train it in one process.")
    }
    let report = try LocalCluster(
      setup: input.setup(), directory: directory, runID: RunIdentifier.fresh(), detail: .quiet
    ).run(signals: signals)
    return RoleOutcome(
      exitCode: report.stopSignal.map { .signal($0) } ?? report.exitCode,
      message: report.failureMessage() ?? "the run was stopped")
  }
}
