import Coordinator
import Nodes
import Protocol
import Recommenders
import Tables
import Tensors
import Worker

/// A coordinator whose records, checkpoints and best model lie on the simulated disk.
package final class SimulatedCoordinator: SimulatedProcess, CoordinatorEnvironment {
  private let initialState: CoordinatorState
  /// The state that was checked last; before the first check that of the coordinator before, if
  /// there was one.
  private var checked: CoordinatorState?
  private(set) lazy var node = CoordinatorNode(
    initialState, tables: cluster.problem.model.tables, in: self)
  /// When the queue of jobs on best models is empty.
  private var modelsDoneAt = 0.0
  /// When the queue of jobs on checkpoints is empty.
  private var checkpointsDoneAt = 0.0
  /// Files that the coordinator asked to delete.
  private var discarded: Set<String> = []

  init(_ name: ProcessName, _ state: CoordinatorState, in cluster: SimulatedCluster) {
    initialState = state
    checked = cluster.lastCoordinator
    super.init(name, in: cluster)
  }

  override func checkInvariants() -> [String] {
    defer {
      checked = node.state
      if cluster.processes.isCurrent(name) { cluster.lastCoordinator = node.state }
    }
    return node.state.brokenInvariants(after: checked)
  }

  override func handle(_ input: Input) {
    switch input {
    case .message(let message, let connection): node.received(message, from: connection)
    case .start, .tick: node.tick()
    case .stop: node.stop(because: "a request to stop")
    case .job: break
    }
  }

  // MARK: Messages

  package func send(_ request: DataRequest, to peer: ConnectionName) {
    send(.request(request), on: peer)
  }

  package func send(_ envelope: CoordinatorEnvelope, to peer: ConnectionName) {
    if case .hold = envelope.message { cluster.pass(.stop) }
    send(.coordinator(cluster.mutated(envelope)), on: peer)
  }

  // MARK: Records

  package func record(_ record: RunRecord) throws {
    guard mayAct() else { return }
    switch record.change {
    case .epochFinished: cluster.pass(.epochEnd)
    case .evaluated: cluster.pass(.evaluation)
    case .generationRaised: cluster.pass(.recovery)
    case .clusterFormed, .bestSaved, .checkpointCommitted, .ended: break
    }
    let again = recordedAgain(record.change)
    let isInCharge = cluster.disk.isInCharge(record.progress.term)
    guard cluster.disk.record(record, obeysTerms: cluster.mutation != .noTerms) else {
      throw CoordinationError(
        code: .superseded, message: "another coordinator has taken over")
    }
    cluster.note(.recorded(record, by: name))
    if let again { cluster.report("\(name) has recorded \(again) again") }
    if !isInCharge {
      cluster.report("\(name) made a record after another coordinator had taken over")
    }
    if case .evaluated(let summary) = record.change {
      cluster.noteEvaluated(summary.epoch, generation: record.progress.generation)
    }
  }

  /// What is recorded already: epochs count once, however often they are trained, and so do
  /// evaluations, unless rows may be stale, where another training gives another model.
  private func recordedAgain(_ change: RunRecord.Change) -> String? {
    guard let run = cluster.disk.run else { return nil }
    switch change {
    case .epochFinished(let summary) where run.epochs.contains { $0.epoch == summary.epoch }:
      return "epoch \(summary.epoch)"
    case .evaluated(let summary)
    where cluster.problem.consistency.isExact
      && run.evaluations.contains { $0.epoch == summary.epoch }:
      return "the evaluation of epoch \(summary.epoch)"
    default: return nil
    }
  }

  package func recordKernels(of hello: NodeHello) {}

  package func report(_ event: RunEvent) {
    guard mayAct() else { return }
    cluster.note(.reported(event, by: name))
    if case .recovering(_, let version) = event, let newest = cluster.disk.latestUsable?.version,
      version != newest
    {
      cluster.report(
        "\(name) rolls back to version \(version), but the newest checkpoint has \(newest)")
    }
    guard case .resumed(_, _, let origin) = event else { return }
    switch origin {
    case .initialValues: cluster.count(.begunAnew)
    case .checkpoint: cluster.count(.restored)
    case .adoption: cluster.count(.adopted)
    }
  }

  // MARK: Checkpoints

  package func findCheckpoint() {
    queueCheckpointJob(slow: 2) { [self] in node.finished(search()) }
  }

  /// Where servers have disks of their own, jobs on checkpoints run one after the other: what is
  /// found stays the newest while servers look at their disks.
  private func queueCheckpointJob(slow: Double, _ job: @escaping () -> Void) {
    let seconds = cluster.jobSeconds(slow: slow)
    guard cluster.faults.copies > 1 else { return later(seconds, job) }
    checkpointsDoneAt = max(checkpointsDoneAt, now) + seconds
    later(checkpointsDoneAt - now, job)
  }

  private func search() -> CoordinatorEvent {
    guard !cluster.isDiskUnreadable else {
      cluster.count(.unreadableDisk)
      return .checkpointSearchFailed("stale file handle")
    }
    guard cluster.disk.hasCheckpoints else { return .noCheckpoint }
    if cluster.disk.isNewestDamaged { cluster.count(.passedOver) }
    if cluster.faults.copies > 1 { return .checkpointsListed(cluster.disk.listed) }
    return .checkpointFound(cluster.disk.latestUsable)
  }

  package func commitCheckpoint(_ commit: CheckpointCommit, keepers: [ServerPlace]) {
    cluster.pass(.commit)
    guard cluster.faults.copies == 1 else { return self.commit(commit, copyingTo: keepers) }
    let seconds = cluster.jobSeconds(slow: 2)
    later(seconds) { [self] in node.finished(write(commit)) }
    cluster.sent(commit, from: name, for: seconds)
  }

  /// First the copy of the records, then the checkpoint.
  private func commit(_ commit: CheckpointCommit, copyingTo keepers: [ServerPlace]) {
    var isCopied = cluster.mutation == .reportBeforeRecords
    queueCheckpointJob(slow: 2) { [self] in
      if !isCopied { isCopied = copyRecords(asOf: commit, to: keepers) }
    }
    queueCheckpointJob(slow: 2) { [self] in
      guard isCopied else {
        return node.finished(
          .checkpointCommitFailed(
            version: commit.version, message: "no server takes a copy of the records"))
      }
      node.finished(write(commit))
      guard cluster.mutation == .reportBeforeRecords else { return }
      later(6) { [self] in copyRecords(asOf: commit, to: keepers) }
    }
  }

  package func copyRecords(to keepers: [ServerPlace]) {
    queueCheckpointJob(slow: 2) { [self] in copyRecords(asOf: nil, to: keepers) }
  }

  /// - Returns: whether a server lives that can keep the copy.
  @discardableResult
  private func copyRecords(asOf commit: CheckpointCommit?, to keepers: [ServerPlace]) -> Bool {
    let keeper = keepers.lazy.compactMap { self.cluster.processes.name(at: $0.endpoint) }
      .first { self.cluster.processes[$0] != nil }
    guard let keeper else { return false }
    cluster.disk.copyRecords(asOf: commit, to: keeper.slot)
    return true
  }

  private func write(_ commit: CheckpointCommit) -> CoordinatorEvent {
    if commit.shards.contains(where: { discarded.contains($0.file) }) {
      cluster.report("version \(commit.version) becomes a checkpoint, but its files were deleted")
    }
    let isComplete = cluster.disk.isComplete(commit)
    if cluster.isDiskFull { cluster.count(.fullDisk) }
    // A coordinator does not see the disks of servers.
    let isUnseen = cluster.faults.copies > 1 || cluster.mutation == .incompleteCheckpoints
    guard !cluster.isDiskFull, isComplete || isUnseen else {
      return .checkpointCommitFailed(
        version: commit.version,
        message: cluster.isDiskFull ? "the disk is full" : "rows are missing")
    }
    if !isComplete {
      cluster.report("a checkpoint of version \(commit.version) lacks rows of a server")
    }
    cluster.note(.wrote("the manifest of version \(commit.version)", by: name))
    return .checkpointCommitted(cluster.disk.commit(commit))
  }

  package func discardCheckpointFiles(_ shards: [CheckpointShard]) {
    discarded.formUnion(shards.map(\.file))
    later(cluster.jobSeconds(slow: 2)) { [self] in cluster.disk.discard(shards) }
  }

  // MARK: Best model

  package func makeModelFiles(_ request: BestModelRequest) {
    cluster.pass(.saving)
    queueModelJob(slow: 2) { [self] in
      let writer = SimulatedModelWriter(request, of: cluster.problem.model)
      node.model(.begun(writer), ofSaving: request.number)
    }
  }

  package func completeModelFiles(_ writer: SimulatedModelWriter, of request: BestModelRequest) {
    queueModelJob(slow: 3) { [self] in node.model(.moved, ofSaving: request.number) }
    queueModelJob(slow: 3) { [self] in
      // The files become the best model even if the coordinator has cancelled the saving meanwhile.
      let model = writer.model
      cluster.note(.wrote("the best model, of epoch \(model.epoch)", by: name))
      cluster.disk.best = model
      cluster.checkMeasured(model)
      node.model(.saved, ofSaving: request.number)
    }
  }

  /// Jobs on best models run one after the other.
  private func queueModelJob(slow: Double, _ job: @escaping () -> Void) {
    modelsDoneAt = max(modelsDoneAt, now) + cluster.jobSeconds(slow: slow)
    later(modelsDoneAt - now, job)
  }

  // MARK: End

  package func end(_ ending: CoordinatorEnding) {
    guard mayAct() else { return }
    switch ending {
    case .finished(let outcome): cluster.ended(outcome, by: name)
    case .failed(let error, let isSuperseded):
      if isSuperseded { cluster.count(.superseded) }
      cluster.left(name, isSuperseded ? .transient("\(error)") : .permanent("\(error)"))
    }
  }
}

/// Collects the rows of a best model in memory.
package final class SimulatedModelWriter: BestModelSink {
  private let request: BestModelRequest
  private let tableCount: Int
  /// The bits of the rows that were read, by table.
  private var bits: [[UInt32]]

  init(_ request: BestModelRequest, of model: TrainingModel) {
    self.request = request
    tableCount = model.tables.count
    bits = model.tables.map { _ in [] }
  }

  package func reading(routing: TableRouting, generation: UInt64) -> ReadTablesWork {
    ReadTablesWork(
      routing: routing, tables: Array(0..<tableCount), version: request.version,
      generation: generation
    ) { [self] table, _, rows in
      bits[table] += rows.elements.map(\.bitPattern)
    }
  }

  /// The model as it is stored.
  var model: SimulatedDisk.SavedModel {
    SimulatedDisk.SavedModel(epoch: request.epoch, version: request.version, bits: bits)
  }
}
