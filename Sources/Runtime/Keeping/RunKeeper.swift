import Coordination
import Datasets
import Foundation
import Messages
import Models
import RunConfiguration
import Tensors
import Transport

/// Keeps what a run leaves behind: its directory, its store, the lines for people.
///
/// It performs the coordinator's `record`, `report` and `finish`, whether the cluster is made of
/// processes or lives in one.
public final class RunKeeper {
  public let directory: RunDirectory
  private let setup: RunSetup
  private let plan: RunPlan
  private let store: RunStore
  private let metrics: MetricsLog
  private let progress: ProgressReporter
  private let startedAt = MonotonicClock.seconds
  /// An epoch whose evaluation is still to come.
  private var pendingEpoch: EpochSummary?

  /// Writes the files that a run begins with.
  ///
  /// - Throws: ``RuntimeError`` or `CoordinationError` when the directory cannot be used.
  public init(
    directory: RunDirectory, setup: RunSetup, plan: RunPlan, standing: RunStanding,
    isQuiet: Bool
  ) throws {
    self.directory = directory
    self.setup = setup
    self.plan = plan
    try directory.writeConfiguration(plan.configuration)
    try directory.writeEnvironment(
      RunEnvironment.capture(
        version: Program.version, gitCommit: nil,
        openBLAS: .init(core: BLAS.coreName, configuration: BLAS.buildDescription),
        started: Date()))
    store = try RunStore(path: directory.storePath)
    try store.begin(
      RunIdentity(
        id: plan.runID, created: Date().ISO8601Format(), configuration: plan.configuration,
        digests: ["data": setup.dataset.digest, "configuration": setup.configuration.digest]),
      standing: standing)
    metrics = try MetricsLog(path: directory.metricsPath)
    progress = ProgressReporter(
      epochs: plan.epochs, examplesPerEpoch: UInt64(setup.dataset.trainUsers.count),
      isQuiet: isQuiet)
  }

  /// Makes a transition durable.
  ///
  /// - Throws: `CoordinationError` or ``RuntimeError`` when it cannot be written.
  public func record(_ record: RunRecord) throws {
    try store.record(record)
    switch record.change {
    case .epochFinished(let summary):
      if plan.isEvaluationDue(afterEpoch: summary.epoch) {
        pendingEpoch = summary
      } else {
        try metrics.append(summary, evaluation: nil)
      }
    case .evaluated(let evaluation):
      if let epoch = pendingEpoch { try metrics.append(epoch, evaluation: evaluation) }
      pendingEpoch = nil
    case .clusterFormed, .bestSaved, .ended:
      break
    }
  }

  /// Shows an event to people.
  public func report(_ event: RunEvent) { progress.handle(event) }

  /// Writes the summary and closes the store.
  public func finish() throws {
    if let epoch = pendingEpoch { try metrics.append(epoch, evaluation: nil) }
    if let run = try store.load() {
      try directory.writeSummary(
        RunSummary(
          details: .init(
            model: setup.configuration.model.model, dataset: setup.dataset.name, seed: setup.seed,
            parameterCount: UInt64(setup.model.parameterCount), selection: plan.selection,
            totalSeconds: MonotonicClock.seconds - startedAt),
          run: run))
    }
    try store.close()
  }
}

/// What this program is.
public enum Program {
  public static let version = "0.1.0"
}
