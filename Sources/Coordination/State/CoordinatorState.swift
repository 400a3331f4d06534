import Messages

/// The coordinator's protocol as a value: it decides, a shell acts.
///
///     forming → training e → [materializing e → ranking e → [saving e]] → training e + 1 → …
///       … → ended
///
/// - *Forming*: servers and workers say hello and are given ranks; when all servers are ready the
///   workers learn where they answer; when all nodes are ready the run begins.
/// - *Training*: every worker has a task with its shards of all steps of the epoch.
/// - *Materializing*, *ranking*: the final matrices are computed and all items ranked, in blocks.
/// - *Saving*: the shell writes the best model; nobody trains, since the tables would move on.
/// - *Ended*: late nodes are told so, everything else is ignored.
///
/// No clock, no socket, no thread, no randomness: the same events at the same times give the same
/// actions. A message that does not fit the phase (an old task, a stranger) is ignored and counted
/// in ``ignoredMessageCount``.
///
/// A lost node ends the run with a transient failure. Lost messages do not: a heartbeat says what
/// its node knows, and what it should know is sent again. Recovery (leases, raised generations, a
/// start from ``RunStanding``) is not built; its places are ``Membership``, ``PhaseWork`` and this
/// initializer.
public struct CoordinatorState: Sendable {
  enum Phase: Sendable, Equatable {
    case forming
    case training(PhaseWork)
    case materializing(PhaseWork)
    case ranking(PhaseWork, materializeSeconds: Double)
    case saving(since: Double)
    case ended(RunOutcome)
  }

  public let plan: RunPlan
  var phase: Phase = .forming
  var membership: Membership
  var selection: ModelSelection
  /// The epoch that is trained, evaluated or saved.
  var epoch: UInt32 = 0
  var epochsFinished: UInt32 = 0
  /// Best evaluation whose files are completely written.
  var savedBest: ModelSelection.Best?
  /// Set when a stop was asked for while the best model was being written.
  var pendingStopReason: String?
  var nextTaskID: UInt64 = 1
  var startedAt: Double?
  var lastEventAt: Double?
  /// Messages that did not fit: strangers, old tasks, readiness out of turn.
  public internal(set) var ignoredMessageCount = 0

  /// A run from its beginning.
  ///
  /// - Throws: ``CoordinationError`` when the plan cannot work.
  public init(plan: RunPlan) throws(CoordinationError) {
    try plan.validate()
    self.plan = plan
    self.membership = Membership(workerCount: plan.workerCount, serverCount: plan.serverCount)
    self.selection = ModelSelection(rule: plan.selection)
  }

  /// Takes in one event and says what to do about it, in order.
  ///
  /// - Parameter now: seconds on a monotonic clock, not before the time of the event before.
  public mutating func handle(
    _ event: CoordinatorEvent, at now: Double
  ) -> [CoordinatorAction] {
    noteTime(now)
    if case .ended(let outcome) = phase { return answerAfterEnd(event, outcome) }
    switch event {
    case .message(let message, let node): return handle(message, from: node, at: now)
    case .undecodable(let node, let message): return handleUndecodable(message, from: node)
    case .tick: return checkTimeouts(at: now)
    case .nodeGone(let node): return handleLoss(of: node, at: now, how: "its process is gone")
    case .bestSaved: return handleBestSaved(at: now)
    case .bestSaveFailed(let reason): return handleBestSaveFailed(reason)
    case .stopRequested(let reason): return handleStop(reason)
    }
  }

  private mutating func handle(
    _ message: NodeMessage, from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    if case .hello(let hello) = message { return handleHello(hello, from: node, at: now) }
    guard membership[node] != nil else { return ignore() }
    membership.markSeen(node, at: now)
    switch message {
    case .hello: return ignore()
    case .heartbeat(let heartbeat): return handleHeartbeat(heartbeat, from: node)
    case .ready: return handleReady(node, at: now)
    case .taskDone(let id, let reports): return handleTaskDone(id, reports, from: node, at: now)
    case .taskFailed(let id, let failure): return handleTaskFailed(id, failure, from: node)
    case .goodbye(let reason): return handleGoodbye(reason, from: node, at: now)
    }
  }

  mutating func ignore() -> [CoordinatorAction] {
    ignoredMessageCount += 1
    return []
  }

  /// After a pause in which no event came (the machine slept, the shell was busy), the silence is
  /// ours and not the nodes': they are credited with it.
  private mutating func noteTime(_ now: Double) {
    if startedAt == nil { startedAt = now }
    if let last = lastEventAt, now - last > plan.timing.heartbeatTimeout / 2 {
      membership.forgive(seconds: now - last)
    }
    lastEventAt = now
  }

  /// Where the run stands, as the run store keeps it.
  public var standing: RunStanding {
    RunStanding(
      status: status, generation: plan.generation, epochsFinished: epochsFinished,
      version: plan.firstVersion(ofEpoch: epochsFinished), best: selection.best,
      isBestSaved: selection.best != nil && savedBest == selection.best,
      nonImprovingCount: selection.nonImprovingCount)
  }

  private var status: RunStatus {
    switch phase {
    case .forming: .forming
    case .training, .materializing, .ranking, .saving: .running
    case .ended(let outcome): outcome.status
    }
  }

  /// Whether the run is over.
  public var isEnded: Bool {
    if case .ended = phase { true } else { false }
  }

  /// The tasks under way, if the phase has any.
  var work: PhaseWork? {
    switch phase {
    case .training(let work), .materializing(let work), .ranking(let work, _): work
    case .forming, .saving, .ended: nil
    }
  }

  func record(_ change: RunRecord.Change) -> CoordinatorAction {
    .record(RunRecord(change: change, standing: standing))
  }
}
