import Configuration
import Coordinator
import Datasets
import Foundation
import Logging
import Nodes
import Protocol
import Recommenders
import Settings
import Tensors
import Transport

/// Writes what a run leaves behind: its directory, its store, its progress lines.
///
/// It executes the coordinator's `record`, `report` and `finish`, for a cluster of processes and
/// for a run in one process.
package final class RunRecorder {
  package let directory: RunDirectory
  package let plan: RunPlan
  /// Whether a best epoch on the present data was recorded when this process started.
  let hadBest: Bool
  /// Detects a run directory or file that was moved or replaced.
  let watch: RunDirectoryWatch
  private let setup: RunSetup
  private let store: RunStore
  private var metrics: MetricsLog
  private let progress: ProgressReporter
  private let observer: RunObserver
  private var events: EventLog
  private let startedAt = MonotonicClock.seconds
  private let logger = Logger(label: "mrdib.run")
  /// The workers' kernels that are recorded.
  private var knownKernels: Set<String> = []
  /// A finished epoch that is not evaluated yet.
  private var pendingEpoch: EpochSummary?
  /// What has happened since the start.
  private var tally: RunTally
  /// For TensorBoard; nil if it is not wanted or its file cannot be made.
  private let tensorBoard: TensorBoardLog?
  private var usage: RunUsage
  private var meter = EnergyMeter()
  private var meterReadAt = MonotonicClock.seconds

  /// Resumes the run in the directory under the next term, or begins one.
  ///
  /// - Parameters:
  ///   - runID: of a new run; a resumed one keeps its own.
  ///   - pause: after how many epochs it stops and can be resumed; nil: it trains to its end.
  ///   - observer: follows the run, for those who watch it.
  /// - Returns: the recorder, and the coordinator's state at the start or at the point of resuming.
  /// - Throws: ``RuntimeError`` or `CoordinationError` when the directory cannot be used, or its
  ///   run has other settings or lacks its records.
  package static func open(
    directory: RunDirectory, setup: RunSetup, runID: String, pausingAfter pause: Int? = nil,
    detail: ProgressDetail, observer: RunObserver = RunObserver()
  ) throws -> (recorder: RunRecorder, state: CoordinatorState) {
    let watch = try RunDirectoryWatch(directory)
    try directory.checkRecordsAreThere()
    let store = try RunStore(path: directory.storePath)
    if let identity = try store.load()?.identity {
      // The settings file may have been edited since the run began.
      try ResumableRun.check(identity, of: directory, against: setup)
    } else {
      try directory.checkNothingIsRecorded()
    }
    try directory.writeConfiguration(setup.configurationText)
    // The term must be on disk before the first message with it is sent.
    let isContinued = try store.load() != nil
    let term = isContinued ? try store.raiseTerm() : 1
    let stored = try store.load()
    let plan = setup.plan(
      runID: stored?.identity.id ?? runID, term: term, pausingAfter: pause,
      checkpointFolder: directory.checkpointDirectory)
    let state = try CoordinatorState(plan: plan, resuming: stored.map { ResumePoint($0) })
    if stored == nil {
      try store.begin(
        RunIdentity(
          id: plan.runID, created: Date().ISO8601Format(), configuration: plan.configuration,
          digests: RunIdentity.digests(of: setup)),
        progress: state.progress,
        data: DataDelivery(
          digest: setup.dataset.digest, users: setup.dataset.userCount,
          items: setup.dataset.itemCount, interactions: setup.dataset.trainUsers.count))
    }
    for file in directory.storeFiles { watch.hold(file) }
    let recorder = try RunRecorder(
      directory: directory, watch: watch, setup: setup, plan: plan, store: store, stored: stored,
      selection: state.selection, detail: detail, observer: observer)
    return (recorder, state)
  }

  /// Writes the summary of a run that has ended, if its process died before writing it.
  ///
  /// - Throws: as ``open(directory:setup:runID:detail:)`` and ``finish()``, also when the best
  ///   model is not the one that the records name.
  package static func completeRecords(
    of run: ResumableRun, in directory: RunDirectory, setup: RunSetup
  ) throws {
    guard !RunSummary.isWritten(run.stored.progress.status, in: directory) else {
      return try BestModel.checkIsRecorded(run.stored, in: directory)
    }
    let runID = run.stored.identity.id
    try open(directory: directory, setup: setup, runID: runID, detail: .quiet).recorder.finish()
  }

  private init(
    directory: RunDirectory, watch: RunDirectoryWatch, setup: RunSetup, plan: RunPlan,
    store: RunStore, stored: StoredRun?, selection: ModelSelection, detail: ProgressDetail,
    observer: RunObserver
  ) throws {
    self.directory = directory
    self.watch = watch
    self.setup = setup
    self.plan = plan
    hadBest = stored?.progress.best != nil
    self.store = store
    let unfinished = try stored.flatMap {
      try MetricsLog.rewrite(directory.metricsPath, as: $0, plan: plan)
    }
    pendingEpoch = unfinished
    metrics = try MetricsLog(path: directory.metricsPath)
    tally = RunTally(
      plan: plan, epochsFinished: stored?.progress.epochsFinished ?? 0,
      best: stored?.progress.best)
    let examples = UInt64(setup.examplesPerEpoch)
    usage = RunUsage(wattsPerCore: setup.configuration.reports.wattsPerCore)
    if stored != nil, let summary = try? RunSummary.contents(in: directory) {
      usage.continueFrom(summary, runID: plan.runID)
    }
    tensorBoard = Self.tensorBoardLog(in: directory, setup: setup, plan: plan, logger: logger)
    if let stored {
      let evaluations = Dictionary(
        stored.evaluations.map { ($0.epoch, $0) }, uniquingKeysWith: { _, last in last })
      tensorBoard?.complete(
        stored.epochs.filter { $0.epoch != unfinished?.epoch }
          .map { ($0, evaluations[$0.epoch]) })
    }
    progress = ProgressReporter(
      ProgressPlan(plan, examplesPerEpoch: examples), selection: selection, detail: detail)
    events = EventLog(path: directory.eventsPath)
    self.observer = observer
    observer.begin(
      ObservedRun(
        RunOverview.Description(
          setup, plan, in: directory, created: stored?.identity.created ?? Date().ISO8601Format()),
        plan: plan, examplesPerEpoch: examples, selection: selection, stored: stored,
        events: stored == nil ? [] : EventLog.read(directory.eventsPath), at: startedAt))
  }

  private static func tensorBoardLog(
    in directory: RunDirectory, setup: RunSetup, plan: RunPlan, logger: Logger
  ) -> TensorBoardLog? {
    guard setup.configuration.reports.tensorBoard else { return nil }
    let selected = plan.selection.metric
    let name = selected.split(separator: ".", maxSplits: 1).last.map(String.init) ?? selected
    do {
      return try TensorBoardLog(
        directory: directory.path,
        parameters: HyperParameters(
          settings: setup.configuration.decisiveSettings,
          metrics: ["valid", "test"].map { "\($0)/\(name)" }, name: plan.runID),
        histograms: ModalityHistograms(run: directory.path, setup: setup))
    } catch {
      logger.warning("\(error) TensorBoard will not show the run.")
      return nil
    }
  }

  /// Takes the processor time of a member of the run.
  package func noteUsage(of role: NodeRole, incarnation: UInt64, cpuSeconds: Double) {
    usage.note(role, incarnation: incarnation, cpuSeconds: cpuSeconds)
    let now = MonotonicClock.seconds
    // Counters begin again after some minutes.
    if now - meterReadAt > 30 {
      meterReadAt = now
      meter?.read()
    }
  }

  /// Whether this process is the whole run.
  package var isSingleProcess: Bool {
    get { usage.isSingleProcess }
    set { usage.isSingleProcess = newValue }
  }

  /// Makes a transition durable.
  ///
  /// - Throws: `CoordinationError` or ``RuntimeError`` when it cannot be written, or the records
  ///   were moved or replaced.
  package func record(_ record: RunRecord) throws {
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
        try rewriteMetrics(evaluation)
      }
    case .bestSaved:
      if let best = record.progress.best { tensorBoard?.noteBestSaved(epoch: best.epoch) }
    case .clusterFormed, .generationRaised, .checkpointCommitted, .ended:
      break
    }
  }

  /// Appends an epoch that is in the store already. A file that was moved or replaced is
  /// rewritten.
  private func append(_ epoch: EpochSummary, evaluation: EvaluationSummary?) throws {
    tensorBoard?.append(epoch, evaluation: evaluation)
    if !metrics.isInPlace {
      // If the whole directory was moved, that is the error to report.
      try watch.check()
      logger.warning(
        "'\(directory.metricsPath)' was moved, deleted or replaced; writing it again")
      try rewriteMetrics()
      // The new file has this epoch already, unless the epoch is not evaluated.
      guard pendingEpoch?.epoch == epoch.epoch else { return }
      pendingEpoch = nil
    }
    try metrics.append(epoch, evaluation: evaluation)
  }

  /// Records which kernels a worker uses, and warns if workers of the run used others before.
  ///
  /// - Throws: `CoordinationError` when the record cannot be written.
  package func recordKernels(of hello: NodeHello) throws {
    guard hello.role == .worker, !hello.kernels.isEmpty, hello.kernels.utf8.count <= 64,
      hello.runID.isEmpty || hello.runID == plan.runID,
      knownKernels.count < 16, knownKernels.insert(hello.kernels).inserted
    else { return }
    let before = try store.recordKernels(hello.kernels)
    // In ssp and async no two runs have the same bits anyway.
    guard plan.isExact, !before.isEmpty else { return }
    report(.otherKernels(host: hello.host, name: hello.kernels, before: before))
  }

  /// Writes `metrics.jsonl` again, because an evaluation has replaced the one in an existing line.
  ///
  /// - Parameter evaluation: the new one, if that is the reason.
  private func rewriteMetrics(_ evaluation: EvaluationSummary? = nil) throws {
    guard let run = try store.load() else { return }
    if let evaluation, let epoch = run.epochs.first(where: { $0.epoch == evaluation.epoch }) {
      tensorBoard?.append(epoch, evaluation: evaluation)
    }
    pendingEpoch = try MetricsLog.rewrite(directory.metricsPath, as: run, plan: plan)
    metrics = try MetricsLog(path: directory.metricsPath)
  }

  /// Shows an event as progress.
  package func report(_ event: RunEvent) {
    tally.note(event)
    progress.handle(event)
    if let noted = observer.handle(event) { events.append(noted) }
  }

  /// Takes in what only the coordinator's state knows, for those who watch the run.
  func look(at coordinator: CoordinatorState) { observer.look(at: coordinator) }

  /// The run ends because its records cannot be written or belong to another coordinator.
  func noteFailure(_ error: any Error) {
    // The folder may belong to another coordinator, so that nothing is written there.
    _ = observer.fail("\(error)")
  }

  /// What copies the records to servers' disks.
  func copier(_ setup: RunSetup, _ security: Security) -> RecordsCopier {
    RecordsCopier(
      directory: directory, store: store, digests: RunIdentity.digests(of: setup),
      security: security)
  }

  /// The metrics of the run, for an observer.
  func metrics(_ snapshot: RunSnapshot) -> RunMetrics {
    RunMetrics(
      constants: .init(
        runID: plan.runID, model: setup.configuration.model.model, dataset: setup.dataset.name,
        workers: plan.workerCount, servers: plan.serverCount, epochs: plan.epochs,
        stepsPerEpoch: plan.stepsPerEpoch,
        examplesPerEpoch: UInt64(setup.examplesPerEpoch), folder: directory.path),
      tally: tally, snapshot: snapshot)
  }

  /// Shows what the run waits for at this moment.
  package func showWait(for what: String, secondsLeft: Double) {
    progress.showWait(for: what, secondsLeft: secondsLeft)
    observer.showWait(for: what, secondsLeft: secondsLeft)
  }

  /// Writes the summary and closes the store.
  ///
  /// - Throws: errors with a sentence when that fails, or when the best model of a run that has
  ///   ended is missing.
  package func finish() throws {
    try watch.check()
    if let run = try store.load() {
      // An interrupted run evaluates its last epoch when it resumes.
      if let epoch = pendingEpoch, run.progress.status != .interrupted {
        try append(epoch, evaluation: nil)
      }
      tensorBoard?.finish(
        [.completed, .earlyStopped].contains(run.progress.status) ? .success : nil)
      try writeSummary(of: run)
      progress.showDetail(usage.sentence)
      if [.completed, .earlyStopped].contains(run.progress.status) {
        try BestModel.checkIsRecorded(run, in: directory)
      }
    }
    try store.close()
  }

  /// Writes a summary with the error that ended the run. The store keeps its last good state.
  ///
  /// If the summary cannot be written either, only the error itself is reported.
  package func abandon(because error: any Error) {
    let ending = observer.fail("\(error)")
    guard (try? watch.check()) != nil else { return }
    if let ending { events.append(ending) }
    if var run = try? store.load() {
      run.progress.status = .failed
      run.message = "\(error)"
      tensorBoard?.finish(.failure)
      try? writeSummary(of: run)
    }
    try? store.close()
  }

  private func writeSummary(of run: StoredRun) throws {
    meter?.read()
    usage.ownSeconds = ProcessUsage.current().cpuSeconds
    usage.ownJoules = meter?.joules
    try directory.writeSummary(
      RunSummary(
        details: .init(
          model: setup.configuration.model.model, dataset: setup.dataset.name,
          dataHistory: setup.dataset.history, seed: setup.seed,
          parameterCount: UInt64(setup.model.parameterCount), selection: plan.selection,
          totalSeconds: MonotonicClock.seconds - startedAt),
        run: run, usage: usage))
  }
}

/// The program.
package enum Program {
  package static let version = "0.1.0"
}
