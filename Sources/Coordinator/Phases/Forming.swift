import Protocol

/// The cluster forms, at the start of a run, on resuming and after a rollback:
///
///     gathering → settingUp → (the run begins)
///         ↓           ↕     ↖
///       findingCheckpoint → findingHolders
///
/// - A new run starts with *setting up*: servers and workers get ranks, make their tables, connect.
/// - A resumed run starts with *gathering* its servers. If all of them still have the tables that
///   this run's records speak of, they keep them (adoption). If one does not, the tables are rolled
///   back.
/// - A rollback raises the generation and *finds the newest checkpoint*, which the servers then
///   load. Where servers have disks of their own, it asks them which files they have.
struct Forming: Sendable, Equatable {
  private enum Stage: Sendable, Equatable {
    case gathering(recordedServerCount: UInt32)
    case findingCheckpoint(CheckpointSearch)
    case findingHolders(HolderSearch)
    case settingUp(SetUp)
  }

  private struct SetUp: Sendable, Equatable {
    /// Whether workers can have connected to the servers of this generation.
    var areServersKnown = false
    /// When the last server was ready.
    var serversReadyAt: Double?
  }

  private var stage: Stage
  /// When the cluster began to form; nil before the first event.
  private var since: Double?
  /// Whether this is the first time in this start of the coordinator.
  private let isFirst: Bool

  /// A run is begun, or resumed with tables that were on a number of servers.
  init(resumingWith recordedServerCount: UInt32?) {
    stage = recordedServerCount.map { .gathering(recordedServerCount: $0) } ?? .settingUp(SetUp())
    isFirst = true
  }

  /// The tables are rolled back. Nothing is sent to members before the record of the new generation
  /// is durable.
  ///
  /// - Parameter abandoning: actions that cancel what the phase before had under way.
  static func rollBack(
    abandoning: [CoordinatorAction], in run: inout RunContext, at now: Double
  ) -> (Forming, [CoordinatorAction]) {
    var forming = Forming(since: now)
    let actions = forming.rollBack(abandoning: abandoning, in: &run)
    return (forming, actions)
  }

  private init(since: Double) {
    stage = .findingCheckpoint(CheckpointSearch())
    self.since = since
    isFirst = false
  }

  /// The coordinator gets its first event.
  mutating func start(at now: Double) { since = now }

  /// Whether members can be welcomed: it is known what the generation begins with.
  var isSettingUp: Bool {
    if case .settingUp = stage { true } else { false }
  }

  // MARK: Gathering

  /// A node has joined before the generation's tables are known.
  mutating func memberJoined(in run: inout RunContext) -> [CoordinatorAction] {
    guard case .gathering(let recordedServerCount) = stage else { return [] }
    let servers = run.members.servers
    let areAdoptable = servers.allSatisfy {
      recordedServerCount == run.plan.serverCount && isAdoptable($0, in: run)
    }
    guard areAdoptable else { return rollBack(in: &run) }
    guard servers.count == Int(run.plan.serverCount) else { return [] }
    run.tables.begin(with: .adoption)
    for node in servers {
      run.members.raiseVersion(to: run.members[node]?.hello.holding?.version ?? 0, of: node)
    }
    stage = .settingUp(SetUp(areServersKnown: true))
    return run.members.all.flatMap { run.welcome($0) }
  }

  private func isAdoptable(_ node: NodeID, in run: RunContext) -> Bool {
    guard let member = run.members[node], let holding = member.hello.holding else { return false }
    return holding.generation == run.generation && holding.rank == member.rank
      && holding.version <= run.latestPossibleVersion
  }

  // MARK: Finding the checkpoint

  private mutating func rollBack(
    abandoning: [CoordinatorAction] = [], in run: inout RunContext
  ) -> [CoordinatorAction] {
    run.beginGeneration()
    stage = .findingCheckpoint(CheckpointSearch())
    let actions = [run.record(.generationRaised)] + abandoning
    guard run.plan.checkpoints != nil else { return actions + setUp(from: nil, in: &run) }
    return actions + [.findCheckpoint]
  }

  /// A search has ended: with nil if all checkpoints that there are are damaged.
  mutating func checkpointFound(
    _ checkpoint: RestoredCheckpoint?, in run: inout RunContext
  ) -> Step {
    guard case .findingCheckpoint = stage else { return Step(actions: run.ignore()) }
    if let checkpoint, checkpoint.version == 0 || checkpoint.version > run.latestPossibleVersion {
      return .end(impossible(checkpoint, in: run))
    }
    return Step(actions: setUp(from: checkpoint, in: &run))
  }

  /// A search has listed the checkpoints whose files are on servers' disks.
  mutating func checkpointsListed(
    _ checkpoints: [ListedCheckpoint], in run: inout RunContext, at now: Double
  ) -> Step {
    guard case .findingCheckpoint = stage else { return Step(actions: run.ignore()) }
    guard let search = HolderSearch(checkpoints) else { return checkpointFound(nil, in: &run) }
    stage = .findingHolders(search)
    var step = Step(actions: run.members.servers.flatMap { inspection(of: $0, in: run) })
    let next = chooseCheckpoint(in: &run, at: now)
    step.actions += next.actions
    step.transition = next.transition
    return step
  }

  /// What a server is asked about its disk, while that is of interest.
  func inspection(of node: NodeID, in run: RunContext) -> [CoordinatorAction] {
    if case .findingHolders(let search) = stage { search.question(to: node, in: run) } else { [] }
  }

  /// A server has said what is on its disk.
  mutating func diskInspected(
    _ report: DiskReport, of node: NodeID, in run: inout RunContext, at now: Double
  ) -> Step {
    guard case .findingHolders(var search) = stage else { return Step(actions: run.ignore()) }
    search.take(report, from: node)
    stage = .findingHolders(search)
    return chooseCheckpoint(in: &run, at: now)
  }

  private mutating func chooseCheckpoint(in run: inout RunContext, at now: Double) -> Step {
    guard case .findingHolders(var search) = stage else { return Step() }
    let choice = search.choose(in: run, at: now)
    stage = .findingHolders(search)
    guard let (checkpoint, warning) = choice else { return Step() }
    stage = .findingCheckpoint(CheckpointSearch())
    var step = checkpointFound(checkpoint.restored, in: &run)
    if let warning { step.actions.insert(.report(.olderCheckpoint(message: warning)), at: 0) }
    return step
  }

  /// A search has found no checkpoint, not even a damaged one.
  mutating func noCheckpoint(
    in run: inout RunContext, at now: Double
  ) -> [CoordinatorAction] {
    guard case .findingCheckpoint(var search) = stage else { return run.ignore() }
    if run.checkpoints.lastManifest == nil { return setUp(from: nil, in: &run) }
    let warning = search.failMissing(in: run, at: now)
    stage = .findingCheckpoint(search)
    return warning
  }

  /// A search has failed: the disk could not be read.
  mutating func searchFailed(
    _ message: String, in run: inout RunContext, at now: Double
  ) -> [CoordinatorAction] {
    guard case .findingCheckpoint(var search) = stage else { return run.ignore() }
    let warning = search.fail(message, in: run, at: now)
    stage = .findingCheckpoint(search)
    return warning
  }

  private mutating func retrySearch(at now: Double) -> [CoordinatorAction] {
    guard case .findingCheckpoint(var search) = stage else { return [] }
    let actions = search.tick(at: now)
    stage = .findingCheckpoint(search)
    return actions
  }

  // MARK: Setting up

  private mutating func setUp(
    from checkpoint: RestoredCheckpoint?, in run: inout RunContext
  ) -> [CoordinatorAction] {
    stage = .settingUp(SetUp())
    run.tables.begin(with: checkpoint.map { .checkpoint($0) } ?? .initialValues)
    run.checkpoints.noteRestored(checkpoint?.version)
    let version = run.tables.origin.version
    return [.report(.recovering(generation: run.generation, version: version))]
      + run.members.all.flatMap { run.welcome($0) }
  }

  /// A member has set itself up for the generation.
  mutating func memberReady(
    _ node: NodeID, _ role: NodeRole, in run: inout RunContext, at now: Double
  ) -> Step {
    guard case .settingUp(var setUp) = stage else { return Step(actions: run.ignore()) }
    // A worker is ready when it has reached the servers, so not before their addresses are known.
    if role == .worker, !setUp.areServersKnown { return Step(actions: run.ignore()) }
    run.members.markReady(node)
    var actions: [CoordinatorAction] = []
    if role == .server {
      run.members.raiseVersion(to: run.tables.origin.version, of: node)
      if run.members.areServersReady {
        setUp.areServersKnown = true
        setUp.serversReadyAt = now
        stage = .settingUp(setUp)
        actions = run.members.workers.flatMap { run.serversMessage(for: $0) }
      }
    }
    return Step(actions: actions, transition: beginning(in: run, at: now))
  }

  /// Begins when the servers and enough workers are ready. The other workers are waited for, so
  /// that no shards need to move a moment later, but not for long.
  private func beginning(in run: RunContext, at now: Double) -> Transition? {
    guard case .settingUp(let setUp) = stage, let serversReadyAt = setUp.serversReadyAt else {
      return nil
    }
    let ready = run.members.readyWorkers.count
    guard ready >= workersNeeded(in: run),
      ready == run.members.workers.count
        || now - serversReadyAt > run.plan.timing.heartbeatTimeout
    else { return nil }
    return .begin(formedIn: isFirst ? now - (since ?? now) : nil)
  }

  private func workersNeeded(in run: RunContext) -> Int {
    run.history.hasBegun ? 1 : Int(run.plan.workerCount)
  }

  // MARK: Losses

  func workerLost(in run: RunContext, at now: Double) -> Step {
    Step(transition: beginning(in: run, at: now))
  }

  /// If servers know of the generation already, it has to be raised: the lost one may be alive, and
  /// there would be two servers of one generation and rank, of which a later start of the
  /// coordinator could adopt the wrong one.
  mutating func serverLost(in run: inout RunContext) -> [CoordinatorAction] {
    isSettingUp ? rollBack(in: &run) : []
  }

  // MARK: Time

  mutating func tick(in run: inout RunContext, at now: Double) -> Step {
    let timeout = run.plan.timing.startupTimeout
    if let since, now - since > timeout { return .end(failure(after: timeout, in: run)) }
    if case .findingHolders = stage { return chooseCheckpoint(in: &run, at: now) }
    return Step(actions: retrySearch(at: now), transition: beginning(in: run, at: now))
  }

  func wait(in run: RunContext) -> Wait? {
    guard let since else { return nil }
    return Wait(what: missing(in: run), since: since, limit: run.plan.timing.startupTimeout)
  }

  private func missing(in run: RunContext) -> String {
    if case .findingCheckpoint = stage {
      return "the newest checkpoint in '\(run.plan.checkpoints?.folder ?? "")' to be found and read"
    }
    if case .findingHolders = stage, run.members.servers.count == Int(run.plan.serverCount) {
      return "the servers to find the files of the newest checkpoint on their disks"
    }
    let absent = [
      Members.absence("server", of: Int(run.plan.serverCount), here: run.members.servers.count),
      Members.absence("worker", of: workersNeeded(in: run), here: run.members.workers.count),
    ].compactMap { $0 }
    if !absent.isEmpty { return absent.joined(separator: " and ") }
    let unready = run.members.all.compactMap { run.members[$0] }.filter { !$0.isReady }
    switch unready.count {
    case 0: return "the cluster to be complete"
    case 1: return "\(unready[0].role) \(unready[0].rank) to be ready"
    default: return "\(unready.count) of \(run.members.all.count) nodes to be ready"
    }
  }

  /// What the cluster lacks to be complete.
  private func missingNodes(in run: RunContext) -> String {
    let servers = Int(run.plan.serverCount) - run.members.servers.count
    let workers = workersNeeded(in: run) - run.members.workers.count
    var parts: [String] = []
    for (absent, role) in [(servers, "server"), (workers, "worker")] where absent > 0 {
      parts.append("\(absent) \(role)\(absent == 1 ? " has" : "s have") not joined")
    }
    for node in run.members.all {
      if let member = run.members[node], !member.isReady {
        parts.append("\(member.name) is not ready")
      }
    }
    return parts.joined(separator: ", ")
  }

  // MARK: Messages

  private func failure(after timeout: Double, in run: RunContext) -> RunFailure {
    if case .findingCheckpoint(let search) = stage {
      return search.failure(after: timeout, in: run)
    }
    if case .findingHolders(let search) = stage,
      run.members.servers.count == Int(run.plan.serverCount)
    {
      return search.failure(after: timeout, in: run)
    }
    return RunFailure(
      kind: .peerLost,
      message: "The cluster of run '\(run.plan.runID)' is not complete after "
        + "\(timeout.inSeconds): \(missingNodes(in: run))\(run.members.lastLoss); start what is "
        + "missing with this coordinator's address, or raise the start-up timeout.")
  }

  private func impossible(
    _ checkpoint: RestoredCheckpoint, in run: RunContext
  ) -> RunFailure {
    RunFailure(
      kind: .wrongAnswer,
      message: "The newest checkpoint '\(checkpoint.manifest)' is of version "
        + "\(checkpoint.version), but by the records of run '\(run.plan.runID)', with "
        + "\(run.history.epochsFinished) epochs finished, only versions up to "
        + "\(run.latestPossibleVersion) are possible; restore the run directory as it was, or "
        + "move the checkpoint away.")
  }

  // MARK: Invariants

  /// Reports rules that do not hold; see `CoordinatorState.brokenInvariants`.
  func checkInvariants(in run: RunContext, _ require: (Bool, String) -> Void) {
    require(
      isSettingUp || run.members.members.values.allSatisfy { !$0.isReady },
      "no member is ready before it is known what the generation begins with")
  }
}
