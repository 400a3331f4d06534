import Protocol

/// What all phases share: the plan, the members, and what is known of tables, checkpoints and
/// epochs. A phase may change this and its own state, and nothing else.
struct RunContext: Sendable {
  let plan: RunPlan
  /// Which tables the servers have, and what they began with.
  var tables: TableGeneration
  /// The nodes that take part.
  var members: Members
  /// Checkpoints that are being written, and the newest one that is complete.
  var checkpoints: Checkpoints
  /// What is recorded of epochs and evaluations. Survives a rollback.
  var history: RunHistory
  /// The epoch that is trained, evaluated or saved. At most `history.epochsFinished`: either the
  /// first one that is not recorded, or an earlier one that is trained again after a rollback.
  var epoch: UInt32 = 0
  /// Greater than the ids of all tasks of this start of the coordinator and of those before it.
  private(set) var nextTaskID: UInt64
  /// Messages that did not fit: unknown nodes, old tasks, readiness out of turn.
  private(set) var ignoredMessageCount = 0

  init(plan: RunPlan, resuming point: ResumePoint?) throws(CoordinationError) {
    self.plan = plan
    tables = TableGeneration(max(1, point?.progress.generation ?? 1))
    members = Members(serverCount: plan.serverCount)
    checkpoints = Checkpoints(
      plan: plan, newest: point?.newestVersion, lastManifest: point?.lastManifest)
    history = try RunHistory(plan: plan, resuming: point)
    nextTaskID = plan.term << 32 + 1
  }

  var generation: UInt64 { tables.generation }

  mutating func takeTaskID() -> UInt64 {
    defer { nextTaskID += 1 }
    return nextTaskID
  }

  /// Counts a message that does not fit.
  @discardableResult
  mutating func ignore() -> [CoordinatorAction] {
    ignoredMessageCount += 1
    return []
  }

  /// A rollback begins: no member is ready for the new generation, and checkpoints of older ones
  /// will not become complete.
  mutating func beginGeneration() {
    tables.raiseGeneration()
    members.beginGeneration()
    checkpoints.beginGeneration()
  }

  // MARK: Versions

  /// The version of the tables at the end of the epoch.
  var evaluatedVersion: UInt64 { plan.firstVersion(ofEpoch: epoch + 1) }

  /// The version at which workers start to train the epoch: all servers have reached it.
  var startVersion: UInt64 {
    min(max(plan.firstVersion(ofEpoch: epoch), members.lowestVersion), evaluatedVersion)
  }

  /// The highest version that tables can have. A higher one would belong to an epoch that began
  /// before the epoch before it was recorded.
  var latestPossibleVersion: UInt64 {
    plan.firstVersion(ofEpoch: min(history.epochsFinished + 1, plan.epochs))
  }

  // MARK: Records

  /// How far the run is, as the run store keeps it.
  ///
  /// - Parameter status: nil while the run has not ended.
  func progress(_ status: RunStatus? = nil) -> RunProgress {
    RunProgress(
      status: status ?? (history.hasBegun ? .running : .forming), generation: generation,
      epochsFinished: history.epochsFinished,
      version: plan.firstVersion(ofEpoch: history.epochsFinished), best: history.selection.best,
      isBestSaved: history.isBestSaved, nonImprovingCount: history.selection.nonImprovingCount,
      term: plan.term, serverCount: plan.serverCount)
  }

  func record(
    _ change: RunRecord.Change, status: RunStatus? = nil
  ) -> CoordinatorAction {
    .record(RunRecord(change: change, progress: progress(status)))
  }
}

/// What tables of one generation are. All of them are known to begin with the same version.
struct TableGeneration: Sendable, Equatable {
  /// Counts rollbacks, from 1. Servers refuse requests of another generation. Never goes down.
  private(set) var generation: UInt64
  private(set) var origin = RunOrigin.initialValues
  /// The epoch whose final vectors are in the tables; nil if none were computed.
  private(set) var materializedEpoch: UInt32?

  init(_ generation: UInt64) {
    self.generation = generation
  }

  mutating func raiseGeneration() {
    generation += 1
    materializedEpoch = nil
  }

  /// The servers get these tables, or have them already.
  mutating func begin(with origin: RunOrigin) { self.origin = origin }

  mutating func noteMaterialized(_ epoch: UInt32) { materializedEpoch = epoch }
}

/// What the tables of a generation begin with.
package enum RunOrigin: Sendable, Equatable {
  /// Version 0.
  case initialValues
  case checkpoint(RestoredCheckpoint)
  /// The servers kept their tables while the coordinator was started again.
  case adoption

  var restored: RestoredCheckpoint? {
    if case .checkpoint(let restored) = self { restored } else { nil }
  }

  /// The version that restored or initial tables have.
  var version: UInt64 { restored?.version ?? 0 }
}
