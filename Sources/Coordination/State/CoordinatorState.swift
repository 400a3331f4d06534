import Enrollment
import Messages

/// The coordinator's protocol as a value: it decides, a shell acts.
///
///     forming → training e → [materializing e → ranking e → [saving e]] → training e + 1 → …
///       … → ended
///
/// - *Forming*: servers and workers say hello and are given ranks; when all servers are ready the
///   workers learn where they answer; when the nodes are ready the run begins or goes on.
/// - *Training*: the shards are leased to the workers, for all steps of the epoch.
/// - *Materializing*, *ranking*: the final matrices are computed and all items ranked, in blocks.
/// - *Saving*: the shell writes the best model; nobody trains, since the tables would move on.
/// - *Resting*: a stop waits for its last checkpoint, or for the best model, and nothing is begun.
/// - *Ended*: late nodes are told so, everything else is ignored.
///
/// Losing a node does not end the run. What a lost worker had goes to the others. When a server is
/// lost the tables go back to the newest checkpoint, or to their beginning, under a new
/// *generation*, and what was trained since is trained again: forming once more. A coordinator that
/// is started again (a new *term*) takes servers that have all their tables as they are, and else
/// goes back likewise. What was recorded stays: epochs that are trained again are neither recorded
/// nor evaluated twice.
///
/// Lost messages lose nothing: a heartbeat says what its node knows, and what it should know is
/// sent again.
///
/// No clock, no socket, no thread, no randomness: the same events at the same times give the same
/// actions. A message that does not fit the phase (an old task, a stranger) is ignored and counted
/// in ``ignoredMessageCount``.
public struct CoordinatorState: Sendable {
  enum Phase: Sendable, Equatable {
    case forming(Forming)
    case training(PhaseWork)
    case materializing(PhaseWork)
    case ranking(PhaseWork, materializeSeconds: Double)
    case saving(Saving)
    case resting
    case ended(RunOutcome)
  }

  public let plan: RunPlan
  /// The fencing number of the tables: raised whenever they go back.
  public internal(set) var generation: UInt64 = 1
  /// What the tables of the generation began with.
  var origin = RunOrigin.initialValues
  var phase: Phase
  var membership: Membership
  /// What has come in of the ranking under way; nil if nothing is counted.
  var exposureTotals: ExposureTotals?
  var selection: ModelSelection
  /// Before the last evaluation.
  var formerSelection: ModelSelection
  /// Of the last evaluation; nil if a coordinator before made it.
  var evaluatedGeneration: UInt64?
  /// The epoch whose final vectors the tables of this generation have; nil if none were computed.
  var materializedEpoch: UInt32?
  /// The epoch that is trained, evaluated or saved.
  var epoch: UInt32 = 0
  /// How many epochs are recorded; those that are trained again do not count.
  var epochsFinished: UInt32 = 0
  /// The last epoch whose evaluation is recorded.
  var lastEvaluatedEpoch: UInt32?
  /// Best evaluation whose files are completely written.
  var savedBest: ModelSelection.Best?
  /// Whether the run has begun, in this start of the coordinator or in one before.
  var hasBegun = false
  /// Whether it has in this start.
  var hasBegunHere = false
  /// Whether another start of the coordinator went before.
  let isResumed: Bool
  /// On how many servers the tables of a resumed run lie.
  let recordedServerCount: UInt32
  var checkpoints: PendingCheckpoints
  var checkpointSilence = CheckpointSilence()
  /// The manifest that was committed last, in whatever generation; nil: none ever was.
  var lastManifest: String?
  /// Set when a stop was asked for that does not take effect at once.
  var stop: Stop?
  /// Since when work waits because no worker is there.
  var workerlessSince: Double?
  var waitWatch = WaitWatch()
  /// The worker that was lost last, until one of its rank is ready, and what became of it.
  var lastLostWorker: (rank: UInt32, fate: String)?
  var refusedNodes = RecentNodes()
  var nextTaskID: UInt64
  var startedAt: Double?
  /// By which the silence of nodes is judged.
  var listening: ListeningClock
  /// Messages that did not fit: strangers, old tasks, readiness out of turn.
  public internal(set) var ignoredMessageCount = 0

  /// A run from its beginning, or one that goes on.
  ///
  /// - Parameter point: what the run store holds of a run that was begun before.
  /// - Throws: ``CoordinationError`` when the plan cannot work or does not fit what is recorded.
  public init(plan: RunPlan, resuming point: ResumePoint? = nil) throws(CoordinationError) {
    try plan.validate()
    self.plan = plan
    membership = Membership(serverCount: plan.serverCount)
    listening = ListeningClock(timeout: plan.timing.heartbeatTimeout)
    checkpoints = PendingCheckpoints(serverCount: plan.serverCount)
    selection = ModelSelection(rule: plan.selection)
    formerSelection = selection
    // Ids ascend over all starts of the coordinator.
    nextTaskID = plan.term << 32 + 1
    isResumed = point != nil
    recordedServerCount = point?.standing.serverCount ?? 0
    phase = .forming(Forming(stage: isResumed ? .gathering : .settingUp))
    if let point { try recall(point) }
  }

  /// Takes in one event and says what to do about it, in order.
  ///
  /// - Parameter now: seconds on a monotonic clock, not before the time of the event before.
  public mutating func handle(
    _ event: CoordinatorEvent, at now: Double
  ) -> [CoordinatorAction] {
    let isFirst = startedAt == nil
    if isFirst { startedAt = now }
    listening.look(at: now, isBehind: event.isBehind)
    if isFirst, let ending = recordedEnding {
      return answering(event, within: end(ending))
    }
    if isEnded { return answerAfterEnd(event) }
    switch event {
    case .message(let message, let node): return handle(message, from: node, at: now)
    case .undecodable(let node, let message): return handleUndecodable(message, from: node)
    case .tick, .tickWhileBehind: return handleTick(at: now)
    case .nodeGone(let node): return lose(node, how: "its process is gone", at: now)
    case .bestSaveMoved: return handleBestSaveMoved(at: now)
    case .bestSaved: return handleBestSaved(at: now)
    case .bestSaveFailed(let reason, let isTransient):
      return handleBestSaveFailed(reason, isTransient: isTransient, at: now)
    case .checkpointFound(let checkpoint): return handleCheckpointFound(checkpoint, at: now)
    case .noCheckpoint: return handleNoCheckpoint(at: now)
    case .checkpointSearchFailed(let message):
      return handleCheckpointSearchFailed(message, at: now)
    case .checkpointCommitted(let checkpoint):
      return handleCheckpointCommitted(checkpoint, at: now)
    case .checkpointCommitFailed(let version, let message):
      return handleCheckpointCommitFailed(version: version, message)
    case .stopRequested(let reason): return handleStop(reason, at: now)
    }
  }

  private mutating func handle(
    _ message: NodeMessage, from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    if case .hello(let hello) = message { return handleHello(hello, from: node, at: now) }
    guard membership[node] != nil else { return answer(message, ofStranger: node) }
    membership.markSeen(node, at: listening.seconds)
    switch message {
    case .hello: return ignore()
    case .heartbeat(let heartbeat): return handleHeartbeat(heartbeat, from: node)
    case .ready(let generation): return handleReady(node, generation: generation, at: now)
    case .taskDone(let id, let reports): return handleTaskDone(id, reports, from: node, at: now)
    case .taskFailed(let id, let failure): return handleTaskFailed(id, failure, from: node)
    case .goodbye(let reason): return lose(node, how: "it left: \(reason)", at: now)
    case .held(let generation, let version):
      return handleHeld(generation: generation, version: version, from: node)
    case .checkpointWritten(let shard): return handleCheckpointWritten(shard, from: node, at: now)
    case .checkpointFailed(let generation, let version, let message):
      return handleCheckpointFailed(
        generation: generation, version: version, message, from: node)
    }
  }

  mutating func ignore() -> [CoordinatorAction] {
    ignoredMessageCount += 1
    return []
  }

  /// Where the run stands, as the run store keeps it.
  public var standing: RunStanding {
    RunStanding(
      status: status, generation: generation, epochsFinished: epochsFinished,
      version: plan.firstVersion(ofEpoch: epochsFinished), best: selection.best,
      isBestSaved: selection.best != nil && savedBest == selection.best,
      nonImprovingCount: selection.nonImprovingCount, term: plan.term,
      serverCount: plan.serverCount)
  }

  private var status: RunStatus {
    switch phase {
    case .forming: hasBegun ? .running : .forming
    case .training, .materializing, .ranking, .saving, .resting: .running
    case .ended(let outcome): outcome.status
    }
  }

  /// Whether the run is over.
  public var isEnded: Bool {
    if case .ended = phase { true } else { false }
  }

  /// The tasks under way, if the phase has any.
  var work: PhaseWork? {
    get {
      switch phase {
      case .training(let work), .materializing(let work), .ranking(let work, _): work
      case .forming, .saving, .resting, .ended: nil
      }
    }
    set {
      guard let newValue else { return }
      switch phase {
      case .training: phase = .training(newValue)
      case .materializing: phase = .materializing(newValue)
      case .ranking(_, let seconds): phase = .ranking(newValue, materializeSeconds: seconds)
      case .forming, .saving, .resting, .ended: break
      }
    }
  }

  func record(_ change: RunRecord.Change) -> CoordinatorAction {
    .record(RunRecord(change: change, standing: standing))
  }
}

extension CoordinatorEvent {
  /// Whether messages wait that have come; nil where the shell says nothing about that.
  fileprivate var isBehind: Bool? {
    switch self {
    case .tick: false
    case .tickWhileBehind: true
    default: nil
    }
  }
}
