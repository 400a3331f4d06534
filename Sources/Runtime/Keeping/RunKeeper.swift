import Coordination
import Datasets
import Foundation
import Logging
import Messages
import Models
import RunConfiguration
import Settings
import Tensors
import Transport

/// Keeps what a run leaves behind: its directory, its store, the lines for people.
///
/// It performs the coordinator's `record`, `report` and `finish`, whether the cluster is made of
/// processes or lives in one.
public final class RunKeeper {
  public let directory: RunDirectory
  public let plan: RunPlan
  /// Whether what is held open is still what the paths lead to.
  let watch: RunDirectoryWatch
  private let setup: RunSetup
  private let store: RunStore
  private var metrics: MetricsLog
  private let progress: ProgressReporter
  private let startedAt = MonotonicClock.seconds
  private let logger = Logger(label: "mrdib.run")
  /// Kernels of workers that are recorded.
  private var knownKernels: Set<String> = []
  /// An epoch whose evaluation is still to come.
  private var pendingEpoch: EpochSummary?

  /// Takes up the run that the directory holds, under the next term, or begins one.
  ///
  /// - Parameter runID: of a run that begins; one that goes on keeps its own.
  /// - Returns: the keeper, and the coordinator's state as the run begins or goes on.
  /// - Throws: ``RuntimeError`` or `CoordinationError` when the directory cannot be used, or holds
  ///   a run whose records are gone or were made with other settings.
  public static func open(
    directory: RunDirectory, setup: RunSetup, runID: String, isQuiet: Bool
  ) throws -> (keeper: RunKeeper, state: CoordinatorState) {
    let watch = try RunDirectoryWatch(directory)
    try directory.checkRecordsAreThere()
    let store = try RunStore(path: directory.storePath)
    if let identity = try store.load()?.identity {
      // The file of settings may have been edited since the run began.
      try ContinuedRun.check(identity, of: directory, against: setup)
    } else {
      try directory.checkNothingIsRecorded()
    }
    try directory.writeConfiguration(setup.configurationText)
    try directory.writeEnvironment(
      RunEnvironment.capture(
        version: Program.version, gitCommit: nil, openBLAS: .current, started: Date()))
    // Before the first word under a term it is on disk.
    let isContinued = try store.load() != nil
    let term = isContinued ? try store.raiseTerm() : 1
    let stored = try store.load()
    let plan = setup.plan(
      runID: stored?.identity.id ?? runID, term: term,
      checkpointFolder: directory.checkpointDirectory)
    let state = try CoordinatorState(plan: plan, resuming: stored.map { ResumePoint($0) })
    if stored == nil {
      try store.begin(
        RunIdentity(
          id: plan.runID, created: Date().ISO8601Format(), configuration: plan.configuration,
          digests: RunIdentity.digests(of: setup)),
        standing: state.standing)
    }
    for file in directory.storeFiles { watch.hold(file) }
    let keeper = try RunKeeper(
      directory: directory, watch: watch, setup: setup, plan: plan, store: store, stored: stored,
      isQuiet: isQuiet)
    return (keeper, state)
  }

  /// Writes what people read of a run that has ended, if its process died between the end and that.
  ///
  /// - Throws: as ``open(directory:setup:runID:isQuiet:)`` and ``finish()``, also when the best
  ///   model is not the one that the records name.
  public static func completeRecords(
    of run: ContinuedRun, in directory: RunDirectory, setup: RunSetup
  ) throws {
    guard !RunSummary.isWritten(run.stored.standing.status, in: directory) else {
      return try BestModel.checkIsRecorded(run.stored, in: directory)
    }
    let runID = run.stored.identity.id
    try open(directory: directory, setup: setup, runID: runID, isQuiet: true).keeper.finish()
  }

  private init(
    directory: RunDirectory, watch: RunDirectoryWatch, setup: RunSetup, plan: RunPlan,
    store: RunStore, stored: StoredRun?, isQuiet: Bool
  ) throws {
    self.directory = directory
    self.watch = watch
    self.setup = setup
    self.plan = plan
    self.store = store
    if let stored {
      pendingEpoch = try MetricsLog.rewrite(directory.metricsPath, as: stored, plan: plan)
    }
    metrics = try MetricsLog(path: directory.metricsPath)
    progress = ProgressReporter(
      epochs: plan.epochs, examplesPerEpoch: UInt64(setup.dataset.trainUsers.count),
      isQuiet: isQuiet)
  }

  /// Makes a transition durable.
  ///
  /// - Throws: `CoordinationError` or ``RuntimeError`` when it cannot be written, or would be
  ///   written to a file that nobody finds any more.
  public func record(_ record: RunRecord) throws {
    try watch.check()
    try store.record(record)
    switch record.change {
    case .epochFinished(let summary):
      if plan.isEvaluationDue(afterEpoch: summary.epoch) {
        pendingEpoch = summary
      } else {
        try append(summary, evaluation: nil)
      }
    case .evaluated(let evaluation):
      if let epoch = pendingEpoch {
        pendingEpoch = nil
        try append(epoch, evaluation: evaluation)
      } else {
        try rewriteMetrics()
      }
    case .clusterFormed, .generationRaised, .bestSaved, .checkpointCommitted, .ended:
      break
    }
  }

  /// Appends an epoch that the store has already. A file that is not where it was is made anew.
  private func append(_ epoch: EpochSummary, evaluation: EvaluationSummary?) throws {
    if !metrics.isInPlace {
      logger.warning(
        "'\(directory.metricsPath)' was moved, deleted or replaced; it is written anew")
      try rewriteMetrics()
      // All that is recorded stands there now, but for an epoch whose evaluation does not come.
      guard pendingEpoch?.epoch == epoch.epoch else { return }
      pendingEpoch = nil
    }
    try metrics.append(epoch, evaluation: evaluation)
  }

  /// Records which kernels a worker of the run computes with, and warns when others did before.
  ///
  /// - Throws: `CoordinationError` when it cannot be written.
  public func recordKernels(of hello: NodeHello) throws {
    guard hello.role == .worker, !hello.kernels.isEmpty, hello.kernels.utf8.count <= 64,
      hello.runID.isEmpty || hello.runID == plan.runID,
      knownKernels.count < 16, knownKernels.insert(hello.kernels).inserted
    else { return }
    let before = try store.recordKernels(hello.kernels)
    // In other modes no two runs have the same bits.
    guard plan.isExact, !before.isEmpty else { return }
    report(.otherKernels(host: hello.host, name: hello.kernels, before: before))
  }

  /// An evaluation has taken the place of another: a line that stands there says something else.
  private func rewriteMetrics() throws {
    guard let run = try store.load() else { return }
    pendingEpoch = try MetricsLog.rewrite(directory.metricsPath, as: run, plan: plan)
    metrics = try MetricsLog(path: directory.metricsPath)
  }

  /// Shows an event to people.
  public func report(_ event: RunEvent) { progress.handle(event) }

  /// Writes the summary and closes the store.
  ///
  /// - Throws: errors with a sentence when that cannot be done, or when the best model of a run
  ///   that is over is not there.
  public func finish() throws {
    try watch.check()
    if let run = try store.load() {
      // A stopped run evaluates its last epoch when it goes on.
      if let epoch = pendingEpoch, run.standing.status != .interrupted {
        try append(epoch, evaluation: nil)
      }
      try writeSummary(of: run)
      if [.completed, .earlyStopped].contains(run.standing.status) {
        try BestModel.checkIsRecorded(run, in: directory)
      }
    }
    try store.close()
  }

  /// Writes a summary that says which error ended the run. The store keeps its last good state.
  ///
  /// A disk that refuses this too leaves no summary: what is told of the run is the error itself.
  public func abandon(because error: any Error) {
    guard (try? watch.check()) != nil else { return }
    if var run = try? store.load() {
      run.standing.status = .failed
      run.message = "\(error)"
      try? writeSummary(of: run)
    }
    try? store.close()
  }

  private func writeSummary(of run: StoredRun) throws {
    try directory.writeSummary(
      RunSummary(
        details: .init(
          model: setup.configuration.model.model, dataset: setup.dataset.name, seed: setup.seed,
          parameterCount: UInt64(setup.model.parameterCount), selection: plan.selection,
          totalSeconds: MonotonicClock.seconds - startedAt),
        run: run))
  }
}

/// What this program is.
public enum Program {
  public static let version = "0.1.0"
}
