import Protocol

/// The coordinator's protocol as a value: it decides, a node acts.
///
///     forming → training e → evaluating e → saving e → training e + 1 → … → ended
///        ↑__________|____________|_____________|
///                        rollback
///
/// - *Forming*: servers and workers join and get ranks; when enough of them are ready the run
///   begins or resumes.
/// - *Training*: the shards of an epoch are leased to the workers.
/// - *Evaluating*: the final vectors are computed and all items ranked, in blocks.
/// - *Saving*: the node writes the best model.
/// - *Draining*: a stop waits for its last checkpoint, and no work is begun.
/// - *Ended*: late nodes get the reason, everything else is ignored.
///
/// Each phase is a type with its own state, in a file of its own in `Phases`. A phase answers an
/// event with a ``Step``: actions, and perhaps a change of phase, which this type carries out.
///
/// Losing a node does not end the run. What a lost worker had goes to the others. A lost server
/// means a *rollback*: the tables get a new *generation*, which begins with the newest checkpoint,
/// and what was trained since is trained again. A coordinator that is started again has a new
/// *term*; it keeps the tables of servers that still have all of them, and rolls back otherwise.
/// What is recorded stays.
///
/// Lost messages lose nothing: a heartbeat shows what its node knows, and what it should know is
/// sent again.
///
/// No clock, no socket, no thread, no randomness: the same events at the same times give the same
/// actions. A message that does not fit the phase (an old task, an unknown node) is ignored and
/// counted in ``ignoredMessageCount``.
package struct CoordinatorState: Sendable {
  /// What all phases share.
  var run: RunContext
  var phase: Phase
  /// A stop that was requested and has not taken effect. Nil while the cluster forms, which stops
  /// at once, and after the end.
  var stop: PendingStop?
  var admission = Admission()
  private var waits = RunWait()
  /// Measures how long nodes are silent; stands still while this process was paused and could not
  /// receive.
  var listening: ListeningClock
  /// Whether there was an event.
  private var hasStarted = false

  /// Blocks of one task at most: the reports of so many, each with as many sums as the wire takes,
  /// fit one message.
  package static let blocksPerTask = Evaluation.blocksPerTask

  /// A run from its beginning, or one that is resumed.
  ///
  /// - Parameter point: what the run store holds of a run that was begun before.
  /// - Throws: ``CoordinationError`` when the plan cannot work or does not fit what is recorded.
  package init(plan: RunPlan, resuming point: ResumePoint? = nil) throws(CoordinationError) {
    try plan.validate()
    run = try RunContext(plan: plan, resuming: point)
    listening = ListeningClock(timeout: plan.timing.heartbeatTimeout)
    phase = .forming(Forming(resumingWith: point?.progress.serverCount))
  }

  // MARK: What a node may ask

  package var plan: RunPlan { run.plan }

  /// The fencing number of the tables: raised by every rollback.
  package var generation: UInt64 { run.generation }

  /// Messages that did not fit: unknown nodes, old tasks, readiness out of turn.
  package var ignoredMessageCount: Int { run.ignoredMessageCount }

  /// How many nodes take part.
  package var memberCount: Int { run.members.members.count }

  /// Whether a node takes part.
  package func isMember(_ node: NodeID) -> Bool { run.members[node] != nil }

  /// The role of a node that takes part; nil for others.
  package func role(of node: NodeID) -> NodeRole? { run.members[node]?.role }

  /// The servers, by rank, on whose disks copies of the records are kept; none if the folder of the
  /// checkpoints is shared.
  package var recordKeepers: [ServerPlace] {
    plan.checkpoints?.isCopied == true ? run.members.serverPlaces : []
  }

  /// Whether the run is over.
  package var isEnded: Bool {
    if case .ended = phase { true } else { false }
  }

  /// How far the run is, as the run store keeps it.
  package var progress: RunProgress {
    if case .ended(let outcome) = phase { run.progress(outcome.status) } else { run.progress() }
  }

  /// How the run ended by what is recorded, when only the record of the end itself is missing.
  package var recordedEnding: RunOutcome.Ending? { run.history.recordedEnding }

  // MARK: Events

  /// Takes in one event and returns what to do about it, in order.
  ///
  /// - Parameter now: seconds on a monotonic clock, not before the time of the event before.
  package mutating func handle(
    _ event: CoordinatorEvent, at now: Double
  ) -> [CoordinatorAction] {
    let isFirst = !hasStarted
    if isFirst { start(at: now) }
    listening.look(at: now, isBehind: event.isBehind)
    if isFirst, let ending = recordedEnding {
      return answering(event, within: end(ending))
    }
    if isEnded { return answerAfterEnd(event) }
    switch event {
    case .message(let message, let node): return handle(message, from: node, at: now)
    case .undecodable(let node, let message): return handleUndecodable(message, from: node)
    case .tick, .tickWhileBehind: return tick(at: now)
    case .nodeGone(let node): return lose(node, how: "its process is gone", at: now)
    case .bestSaveMoved:
      return whileSaving(at: now) { saving, _ in
        saving.moved(at: now)
        return Step()
      }
    case .bestSaved:
      return whileSaving(at: now) { saving, run in saving.saved(in: &run, at: now) }
    case .bestSaveFailed(let reason, let isTransient):
      return whileSaving(at: now) { saving, run in
        saving.failed(reason, isTransient: isTransient, in: run, at: now)
      }
    case .checkpointFound(let checkpoint):
      return whileForming(at: now) { forming, run in
        forming.checkpointFound(checkpoint, in: &run)
      }
    case .checkpointsListed(let checkpoints):
      return whileForming(at: now) { forming, run in
        forming.checkpointsListed(checkpoints, in: &run, at: now)
      }
    case .noCheckpoint:
      return whileForming(at: now) { forming, run in
        Step(actions: forming.noCheckpoint(in: &run, at: now))
      }
    case .checkpointSearchFailed(let message):
      return whileForming(at: now) { forming, run in
        Step(actions: forming.searchFailed(message, in: &run, at: now))
      }
    case .checkpointCommitted(let checkpoint): return noteCommitted(checkpoint, at: now)
    case .checkpointCommitFailed(let version, let message):
      guard
        let actions = run.checkpoints.noteCommitFailed(of: version, message, in: generation)
      else { return run.ignore() }
      return actions + settle(version)
    case .stopRequested(let reason): return requestStop(reason, at: now)
    }
  }

  private mutating func start(at now: Double) {
    hasStarted = true
    guard case .forming(var forming) = phase else { return }
    forming.start(at: now)
    phase = .forming(forming)
  }

  private mutating func handle(
    _ message: NodeMessage, from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    if case .hello(let hello) = message { return handleHello(hello, from: node, at: now) }
    guard let member = run.members[node] else { return run.answerUnknown(node, message) }
    run.members.markSeen(node, at: listening.seconds)
    switch message {
    case .hello: return run.ignore()
    case .heartbeat(let heartbeat): return handleHeartbeat(heartbeat, from: node)
    case .ready(let generation): return handleReady(node, generation: generation, at: now)
    case .taskDone(let id, let reports): return handleTaskDone(id, reports, from: node, at: now)
    case .taskFailed(let id, let failure):
      guard let tasks = phase.tasks else { return run.ignore() }
      return take(tasks.taskFailed(id, failure, from: node, in: &run), at: now)
    case .goodbye(let reason): return lose(node, how: "it left: \(reason)", at: now)
    case .held(let generation, let version):
      return handleHeld(generation: generation, version: version, from: node)
    case .checkpointWritten(let shard):
      return handleCheckpointWritten(shard, from: member, node, at: now)
    case .checkpointFailed(let generation, let version, let message):
      guard generation == run.generation, member.role == .server else { return run.ignore() }
      return run.checkpoints.noteFailure(message, of: member, at: version) + settle(version)
    case .inspected(let report):
      return whileForming(at: now) { forming, run in
        forming.diskInspected(report, of: node, in: &run, at: now)
      }
    }
  }

  private mutating func handleTaskDone(
    _ id: UInt64, _ reports: [UnitReport], from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    let step: Step
    switch phase {
    case .training(var training):
      step = training.taskDone(id, reports, from: node, in: &run, at: now)
      phase = .training(training)
    case .evaluating(var evaluation):
      step = evaluation.taskDone(id, reports, from: node, in: &run, at: now)
      phase = .evaluating(evaluation)
    case .forming, .saving, .draining, .ended: return run.ignore()
    }
    return take(step, at: now)
  }

  private mutating func handleCheckpointWritten(
    _ shard: CheckpointShard, from member: Members.Member, _ node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    guard member.role == .server else { return run.ignore() }
    // Acknowledged even if it comes too late to be of use, or the server would repeat it for ever.
    let seen = CoordinatorAction.send(
      .checkpointAcknowledged(generation: shard.generation, version: shard.version), to: node)
    guard run.checkpoints.isUseful(shard, from: member, in: generation) else {
      return [seen] + run.ignore()
    }
    return [seen] + run.checkpoints.noteWritten(shard, at: now)
  }

  private mutating func noteCommitted(
    _ checkpoint: CommittedCheckpoint, at now: Double
  ) -> [CoordinatorAction] {
    guard let seconds = run.checkpoints.noteCommitted(checkpoint, in: generation, at: now) else {
      return run.ignore()
    }
    return [
      run.record(.checkpointCommitted(checkpoint)),
      .report(.checkpointCommitted(version: checkpoint.version, seconds: seconds)),
    ] + notifyServers(of: checkpoint) + run.checkpoints.commitNext() + settle(checkpoint.version)
  }

  /// Servers that share no folder keep the manifest too. A message that is lost costs them only the
  /// deletion of old files.
  private func notifyServers(of checkpoint: CommittedCheckpoint) -> [CoordinatorAction] {
    guard run.plan.checkpoints?.isCopied == true else { return [] }
    let message = CoordinatorMessage.checkpointCommitted(
      manifest: checkpoint.manifest, content: checkpoint.content)
    return run.members.servers.map { .send(message, to: $0) }
  }

  /// A member sent something that cannot be read. It would repeat it for ever.
  private mutating func handleUndecodable(
    _ message: String, from node: NodeID
  ) -> [CoordinatorAction] {
    guard let member = run.members[node] else { return run.ignore() }
    return end(
      .failed(
        RunFailure(
          kind: .wrongAnswer,
          message: "The run ends in epoch \(run.epoch) because a message of \(member.name) cannot "
            + "be read: \(message); run the same version of the program on all nodes.")))
  }

  // MARK: Time

  private mutating func tick(at now: Double) -> [CoordinatorAction] {
    // If one of these ends the run, the others find nothing to do.
    var actions = loseSilentNodes(at: now)
    actions += tickPhase(at: now)
    actions += limitStop(at: now)
    guard !isEnded else { return actions }
    actions += run.checkpoints.tick(
      members: run.members, generation: generation,
      isExpecting: phase.tasks != nil && stop == nil, at: now)
    let notice = waits.next(phase.wait(in: run), progress: phase.progress(in: run), at: now)
    if let notice { actions.append(.report(notice)) }
    return actions
  }

  private mutating func loseSilentNodes(at now: Double) -> [CoordinatorAction] {
    let timeout = plan.timing.heartbeatTimeout
    var actions: [CoordinatorAction] = []
    for node in run.members.silent(for: timeout, at: listening.seconds) where !isEnded {
      actions += lose(node, how: "no sign of life within \(timeout.inSeconds)", at: now)
    }
    return actions
  }

  private mutating func tickPhase(at now: Double) -> [CoordinatorAction] {
    switch phase {
    case .forming:
      whileForming(at: now) { forming, run in forming.tick(in: &run, at: now) }
    case .training, .evaluating:
      take(phase.tasks?.limitWorkerless(in: run, at: now) ?? Step(), at: now)
    case .saving:
      whileSaving(at: now) { saving, run in saving.tick(in: run, at: now) }
    case .draining, .ended: []
    }
  }

  // MARK: Events of one phase

  /// Passes an event to the forming cluster; ignored in other phases.
  mutating func whileForming(
    at now: Double, _ handle: (inout Forming, inout RunContext) -> Step
  ) -> [CoordinatorAction] {
    guard case .forming(var forming) = phase else { return run.ignore() }
    let step = handle(&forming, &run)
    phase = .forming(forming)
    return take(step, at: now)
  }

  /// Passes an event to the saving of the best model; ignored in other phases.
  private mutating func whileSaving(
    at now: Double, _ handle: (inout Saving, inout RunContext) -> Step
  ) -> [CoordinatorAction] {
    guard case .saving(var saving) = phase else { return run.ignore() }
    let step = handle(&saving, &run)
    phase = .saving(saving)
    return take(step, at: now)
  }
}

extension CoordinatorEvent {
  /// Whether received messages wait to be handled; nil if the node gives no information.
  fileprivate var isBehind: Bool? {
    switch self {
    case .tick: false
    case .tickWhileBehind: true
    default: nil
    }
  }
}
