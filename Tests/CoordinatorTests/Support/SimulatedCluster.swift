import Coordinator
import Protocol

/// A small cluster on a virtual clock, all of whose processes can be lost at any time, and which
/// loses messages of the coordinator and to it.
struct SimulatedCluster {
  struct Faults {
    /// Of a loss of some process, per second.
    var rate = 0.0
    /// Of a message.
    var messageLoss = 0.0
    /// When it stops.
    var until = 0.0
  }

  private enum ShellWork {
    case find
    case commit(CheckpointCommit)
    case save(version: UInt64, generation: UInt64, endpoints: [String])
  }

  let plan: RunPlan
  let faults: Faults
  var random: SplitMix
  var now = 0.0
  private var coordinator: CoordinatorState?
  private var lastCoordinator: CoordinatorState
  private(set) var store: MemoryStore
  private var coordinatorStartsAt = 0.0
  private var servers: [NodeID: SimulatedServer] = [:]
  private var workers: [NodeID: SimulatedWorker] = [:]
  private var starting: [(at: Double, role: NodeRole, name: String)] = []
  private var shellWork: [ShellWork] = []
  private var disk: [CommittedCheckpoint] = []
  private var deleted: [CheckpointShard] = []
  private var nextNode: NodeID = 1000
  private(set) var term: UInt64 = 1
  private(set) var outcome: RunOutcome?
  private(set) var problems: [String] = []
  private(set) var epochRecords: [EpochSummary] = []
  private(set) var evaluationRecords: [EvaluationSummary] = []
  private(set) var recoveries = 0
  private(set) var adoptions = 0

  init(plan: RunPlan, faults: Faults, seed: UInt64) throws {
    self.plan = plan
    self.faults = faults
    random = SplitMix(state: seed)
    lastCoordinator = try CoordinatorState(plan: plan)
    coordinator = lastCoordinator
    store = MemoryStore(begunWith: lastCoordinator.standing)
    startAllNodes()
  }

  private mutating func startAllNodes() {
    for index in 0..<plan.serverCount { start(.server, "server-\(index)") }
    for index in 0..<plan.workerCount { start(.worker, "worker-\(index)") }
  }

  private mutating func start(_ role: NodeRole, _ name: String) {
    nextNode += 1
    // The clock of its machine may have been set back.
    let node = now < faults.until && chance(0.2) ? 1_000_000 - nextNode : 1_000_000 + nextNode
    let hello = NodeHello(
      role: role, incarnation: node, runID: "",
      dataEndpoint: role == .server ? "tcp://host:\(node)" : "", host: "n1", processID: 1,
      name: name)
    switch role {
    case .server: servers[node] = SimulatedServer(plan: plan, hello: hello)
    case .worker: workers[node] = SimulatedWorker(plan: plan, hello: hello)
    }
  }

  /// Runs until the run is over, or the time is.
  mutating func run(for seconds: Double) throws {
    while outcome == nil, now < seconds, problems.isEmpty {
      now += 0.1
      if now < faults.until { try injectFaults() }
      for (index, process) in starting.enumerated().reversed() where process.at <= now {
        starting.remove(at: index)
        start(process.role, process.name)
      }
      if coordinator == nil, now >= coordinatorStartsAt { try startCoordinator() }
      stepNodes()
      doShellWork()
      tell(.tick)
    }
  }

  // MARK: Nodes

  private mutating func stepNodes() {
    for node in servers.keys.sorted() {
      guard var server = servers[node], now >= server.membership.pausedUntil else { continue }
      if chance(0.2) { server.prepare() }
      if now - server.membership.spokeAt >= 1 {
        server.membership.spokeAt = now
        server.beat()
      }
      problems += server.violations
      let outbox = server.membership.outbox
      server.membership.outbox = []
      servers[node] = server.membership.isGone ? nil : server
      if server.membership.isGone { replace(.server, server.membership.hello.name) }
      for message in outbox { tell(.message(message, from: node)) }
    }
    for node in workers.keys.sorted() {
      guard var worker = workers[node], now >= worker.membership.pausedUntil else { continue }
      let asleep = servers.filter { now < $0.value.membership.pausedUntil }
      var awake = servers.filter { now >= $0.value.membership.pausedUntil }
      for _ in 0..<Int.random(in: 0..<6, using: &random) { worker.work(with: &awake) }
      servers = awake.merging(asleep) { server, _ in server }
      if now - worker.membership.spokeAt >= 1 {
        worker.membership.spokeAt = now
        worker.beat()
      }
      let outbox = worker.membership.outbox
      worker.membership.outbox = []
      workers[node] = worker.membership.isGone ? nil : worker
      if worker.membership.isGone { replace(.worker, worker.membership.hello.name) }
      for message in outbox { tell(.message(message, from: node)) }
    }
  }

  private mutating func replace(_ role: NodeRole, _ name: String) {
    // A process that was replaced has no other successor.
    let names =
      servers.values.map(\.membership.hello.name) + workers.values.map(\.membership.hello.name)
      + starting.map(\.name)
    guard outcome == nil, !names.contains(name) else { return }
    starting.append((now + Double.random(in: 0..<5, using: &random), role, name))
  }

  // MARK: Faults

  private mutating func injectFaults() throws {
    guard chance(faults.rate * 0.1) else { return }
    let node = (servers.keys.sorted() + workers.keys.sorted()).randomElement(using: &random)
    switch Int.random(in: 0..<8, using: &random) {
    case 0, 1:
      coordinator = nil
      shellWork = []
      coordinatorStartsAt = now + Double.random(in: 0..<20, using: &random)
    case 2:
      // The run is stopped, all processes end, and the same command is given again.
      tell(.stopRequested(reason: "Ctrl-C"))
    case 3:
      // The power fails.
      (servers, workers, starting, shellWork) = ([:], [:], [], [])
      coordinator = nil
      coordinatorStartsAt = now + 1
      startAllNodes()
    case 4:
      // The newest checkpoint is damaged.
      if !disk.isEmpty { disk.removeLast() }
    case 5: node.map { pause($0) }
    default: node.map { kill($0) }
    }
  }

  private mutating func kill(_ node: NodeID) {
    if let server = servers.removeValue(forKey: node) {
      replace(.server, server.membership.hello.name)
    }
    if let worker = workers.removeValue(forKey: node) {
      replace(.worker, worker.membership.hello.name)
    }
  }

  private mutating func pause(_ node: NodeID) {
    let until = now + Double.random(in: 0..<30, using: &random)
    servers[node]?.membership.pausedUntil = until
    workers[node]?.membership.pausedUntil = until
    // Sometimes it is believed to be dead.
    let name = servers[node]?.membership.hello.name ?? workers[node]?.membership.hello.name
    if let name, chance(0.3) {
      starting.append((now + 1, servers[node] == nil ? .worker : .server, name))
    }
  }

  // MARK: Coordinator

  private mutating func startCoordinator() throws {
    term += 1
    var plan = plan
    plan.term = term
    let state = try CoordinatorState(plan: plan, resuming: ResumePoint(store.run))
    problems += state.brokenInvariants(after: lastCoordinator)
    coordinator = state
  }

  private mutating func tell(_ event: CoordinatorEvent) {
    guard var state = coordinator, outcome == nil else { return }
    if case .message = event, isLost { return }
    let before = state
    let actions = state.handle(event, at: now)
    problems += state.brokenInvariants(after: before)
    coordinator = state
    lastCoordinator = state
    for action in actions { perform(action, term: state.plan.term) }
  }

  private mutating func perform(_ action: CoordinatorAction, term: UInt64) {
    store.record([action])
    switch action {
    case .send(let message, let node):
      let envelope = CoordinatorEnvelope(term: term, message: message)
      // A paused process does not get it.
      let pause = servers[node]?.membership.pausedUntil ?? workers[node]?.membership.pausedUntil
      guard !isLost, now >= pause ?? 0 else { return }
      servers[node]?.hear(envelope)
      workers[node]?.hear(envelope)
    case .saveBest(_, let version, let generation, let endpoints):
      shellWork.append(
        .save(version: version, generation: generation, endpoints: endpoints))
    case .cancelSave: shellWork.removeAll { if case .save = $0 { true } else { false } }
    case .findCheckpoint: shellWork.append(.find)
    case .commitCheckpoint(let commit): shellWork.append(.commit(commit))
    case .discardCheckpointFiles(let shards): discard(shards)
    case .record(let record): note(record.change)
    case .report(.recovering): recoveries += 1
    case .report(.resumed(_, _, .adoption)): adoptions += 1
    case .report: break
    case .finish(let result): finish(result)
    }
  }

  private mutating func note(_ change: RunRecord.Change) {
    switch change {
    case .epochFinished(let summary): epochRecords.append(summary)
    case .evaluated(let summary): evaluationRecords.append(summary)
    case .clusterFormed, .generationRaised, .bestSaved, .checkpointCommitted, .ended: break
    }
  }

  private mutating func finish(_ result: RunOutcome) {
    guard case .interrupted = result.ending else {
      outcome = result
      return
    }
    (servers, workers, starting, shellWork) = ([:], [:], [], [])
    coordinator = nil
    coordinatorStartsAt = now + 1
    startAllNodes()
  }

  private mutating func doShellWork() {
    guard let work = shellWork.first, chance(0.3) else { return }
    shellWork.removeFirst()
    switch work {
    case .find:
      // The disk cannot always be read; damaged files exist all the same.
      tell(
        now < faults.until && chance(0.3)
          ? .checkpointSearchFailed("stale file handle") : .checkpointFound(disk.last?.restored))
    case .commit(let commit):
      guard !chance(0.1) else {
        return tell(.checkpointCommitFailed(version: commit.version, message: "disk full"))
      }
      // An earlier start of the coordinator had them deleted.
      guard !commit.shards.contains(where: deleted.contains) else {
        return tell(.checkpointCommitFailed(version: commit.version, message: "files are gone"))
      }
      disk.removeAll { $0.version >= commit.version }
      disk.append(commit.committed)
      tell(.checkpointCommitted(commit.committed))
    case .save(let version, let generation, let endpoints):
      let members = servers.values.filter {
        $0.membership.generation == generation
          && endpoints.contains($0.membership.hello.dataEndpoint)
      }
      guard members.count == Int(plan.serverCount) else {
        return tell(.bestSaveFailed("a server is silent", isTransient: true))
      }
      if !members.allSatisfy({ $0.version == version }) {
        problems.append("saved \(members.map(\.version)) as version \(version)")
      }
      tell(.bestSaved)
    }
  }

  private mutating func discard(_ shards: [CheckpointShard]) {
    deleted.append(contentsOf: shards)
    // A file that a checkpoint has, or is to have, is not one to be deleted.
    for case .commit(let commit) in shellWork where commit.shards.contains(where: shards.contains) {
      problems.append("files of version \(commit.version) are deleted before it is committed")
    }
  }

  private var isLost: Bool { mutating get { chance(faults.messageLoss) } }

  private mutating func chance(_ probability: Double) -> Bool {
    Double.random(in: 0..<1, using: &random) < probability
  }
}
