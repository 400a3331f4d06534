import Coordinator
import Protocol
import Testing

/// A coordinator state with pretended nodes around it. Checks the invariants after every event.
struct TestCluster {
  var state: CoordinatorState
  /// What has been recorded.
  var store: MemoryStore
  var now = 0.0
  private(set) var actions: [CoordinatorAction] = []

  static let firstServer: NodeID = 100
  static let firstWorker: NodeID = 200

  init(_ plan: RunPlan) throws {
    state = try CoordinatorState(plan: plan)
    store = MemoryStore(begunWith: state.standing)
  }

  /// The coordinator is killed and started again from its records.
  mutating func restartCoordinator(servers: UInt32? = nil) throws {
    var plan = state.plan
    plan.term += 1
    plan.serverCount = servers ?? plan.serverCount
    state = try CoordinatorState(plan: plan, resuming: ResumePoint(store.run))
    actions = []
  }

  static func plan(
    workers: UInt32 = 2, servers: UInt32 = 2, shards: UInt32 = 3, epochs: UInt32 = 3,
    evaluationInterval: UInt32 = 1, patience: UInt32 = 20,
    rounding: SelectionRule.Rounding = .none, blocks: UInt32 = 3,
    checkpoints: CheckpointPlan? = CheckpointPlan(folder: "checkpoints", interval: 8)
  ) -> RunPlan {
    RunPlan(
      runID: "run-1", configuration: "model: vbpr\n",
      tables: [
        TableDescription(
          name: "user", rows: 10, width: 4, rowsPerBlock: 16, initializer: "normal",
          initializerValue: 0.1, rule: "model", ruleValue: 0)
      ], seed: 7, shardCount: shards, workerCount: workers, serverCount: servers,
      stepsPerEpoch: 4, roundsPerStep: 2, epochs: epochs,
      evaluationInterval: evaluationInterval, materializeBlockCount: blocks,
      rankBlockCount: blocks,
      selection: SelectionRule(metric: "valid.recall@20", patience: patience, rounding: rounding),
      checkpoints: checkpoints,
      timing: CoordinationTiming(heartbeatInterval: 1, heartbeatTimeout: 10, startupTimeout: 60))
  }

  @discardableResult
  mutating func handle(
    _ event: CoordinatorEvent, sourceLocation: SourceLocation = #_sourceLocation
  ) -> [CoordinatorAction] {
    let before = state
    actions = state.handle(event, at: now)
    store.record(actions)
    #expect(
      state.brokenInvariants(after: before) == [], "after \(event)",
      sourceLocation: sourceLocation)
    return actions
  }

  @discardableResult
  mutating func send(_ message: NodeMessage, from node: NodeID) -> [CoordinatorAction] {
    handle(.message(message, from: node))
  }

  static func hello(
    _ role: NodeRole, _ node: NodeID, runID: String = "", endpoint: String? = nil,
    name: String = "", holding: HeldState? = nil
  ) -> NodeMessage {
    .hello(
      NodeHello(
        role: role, incarnation: node, runID: runID,
        dataEndpoint: endpoint ?? (role == .server ? "tcp://host:\(node)" : ""), host: "n1",
        processID: UInt32(node), name: name, holding: holding))
  }

  /// A heartbeat.
  static func beat(
    task: UInt64 = 0, done: UInt64 = 0, generation: UInt64 = 1, version: UInt64 = 0
  ) -> NodeMessage {
    .heartbeat(
      Heartbeat(
        residentBytes: 1, peakResidentBytes: 1, cpuSeconds: 1, taskProgress: done, taskID: task,
        generation: generation, version: version))
  }

  /// All nodes join and set themselves up; the actions are those of the last one's readiness.
  @discardableResult
  mutating func form() -> [CoordinatorAction] {
    for node in serverIDs {
      send(Self.hello(.server, node), from: node)
      send(.ready(generation: state.generation), from: node)
    }
    for node in workerIDs {
      send(Self.hello(.worker, node), from: node)
      send(.ready(generation: state.generation), from: node)
    }
    return actions
  }

  var serverIDs: [NodeID] {
    (0..<NodeID(state.plan.serverCount)).map { Self.firstServer + $0 }
  }

  var workerIDs: [NodeID] {
    (0..<NodeID(state.plan.workerCount)).map { Self.firstWorker + $0 }
  }

  /// Members report that they are ready for the generation.
  @discardableResult
  mutating func ready(_ nodes: [NodeID]) -> [CoordinatorAction] {
    var all: [CoordinatorAction] = []
    for node in nodes { all += send(.ready(generation: state.generation), from: node) }
    return all
  }

  /// Heartbeats of all servers, at a version.
  mutating func reach(_ version: UInt64) {
    for node in serverIDs {
      send(Self.beat(generation: state.generation, version: version), from: node)
    }
  }

  /// A server's file of a version.
  func shard(_ version: UInt64, rank: UInt32, generation: UInt64? = nil) -> NodeMessage {
    .checkpointWritten(
      CheckpointShard(
        generation: generation ?? state.generation, version: version, rank: rank,
        file: "v\(version)/server-\(rank)", byteCount: 10, digest: "ab"))
  }

  /// All servers write a version, and it is committed.
  @discardableResult
  mutating func checkpoint(_ version: UInt64) -> [CoordinatorAction] {
    for (rank, node) in serverIDs.enumerated() {
      send(shard(version, rank: UInt32(rank)), from: node)
    }
    guard let commit = actions.commits.first else { return actions }
    return handle(.checkpointCommitted(commit.committed))
  }

  /// Does all tasks that `actions` hand out, each worker reporting `sums` per unit, in the order
  /// of the tasks or against it. The actions are those of the last task's end.
  @discardableResult
  mutating func work(
    _ handedOut: [CoordinatorAction], isReversed: Bool = false, seconds: Double = 1,
    sums: (UInt32) -> [String: Double]
  ) -> [CoordinatorAction] {
    now += seconds
    let tasks = handedOut.tasks
    for (node, task) in isReversed ? tasks.reversed() : tasks {
      let reports = task.body.units.map { UnitReport(unit: $0, sums: sums($0)) }
      send(.taskDone(id: task.id, reports: reports), from: node)
    }
    return actions
  }

  /// A worker joins, and is ready.
  @discardableResult
  mutating func addWorker(_ node: NodeID) -> [CoordinatorAction] {
    send(Self.hello(.worker, node), from: node)
    return ready([node])
  }

  /// Forms, and trains and evaluates the first epoch up to the saving of the best model.
  @discardableResult
  mutating func epochUntilSaving() -> [CoordinatorAction] {
    work(form()) { _ in ["loss.total": 1] }
    work(actions) { _ in [:] }
    return work(actions) { _ in ["valid.recall@20": 1, "valid.users": 1] }
  }

  /// The tasks under way, as workers get them that send another hello.
  var currentTasks: [(node: NodeID, task: WorkerTask)] {
    var copy = state
    return workerIDs.flatMap { node in
      copy.handle(.message(Self.hello(.worker, node), from: node), at: now).tasks
    }
  }

  /// Trains and evaluates one epoch with a selection metric, saving the best model when asked to.
  @discardableResult
  mutating func epoch(_ start: [CoordinatorAction], recall: Double) -> [CoordinatorAction] {
    work(start) { _ in ["loss.total": 0.5, "pairs": 10] }
    work(actions) { _ in [:] }
    let users = state.plan.rankBlockCount
    work(actions) { _ in
      ["valid.recall@20": recall / Double(users), "valid.users": 1 / Double(users)]
    }
    guard actions.contains(where: \.isSaveBest) else { return actions }
    let before = actions
    handle(.bestSaved)
    return before + actions
  }
}

extension TaskBody {
  var units: [UInt32] {
    switch self {
    case .train(_, _, _, let units), .materialize(_, _, let units), .rank(_, _, let units): units
    }
  }
}

extension TaskBody {
  var epoch: UInt32 {
    switch self {
    case .train(let epoch, _, _, _), .materialize(_, let epoch, _), .rank(_, let epoch, _): epoch
    }
  }
}

extension CoordinatorAction {
  var isSend: Bool {
    if case .send = self { true } else { false }
  }

  var isSaveBest: Bool {
    if case .saveBest = self { true } else { false }
  }
}

extension CheckpointCommit {
  /// How the shell answers when it has written the manifest.
  var committed: CommittedCheckpoint {
    CommittedCheckpoint(
      version: version, generation: generation, epoch: epoch,
      manifest: "v\(version)-g\(generation)/manifest.json", created: "2026-01-02T03:04:05Z")
  }
}

extension CommittedCheckpoint {
  var restored: RestoredCheckpoint { RestoredCheckpoint(manifest: manifest, version: version) }
}

extension [CoordinatorAction] {
  var commits: [CheckpointCommit] {
    compactMap { if case .commitCheckpoint(let commit) = $0 { commit } else { nil } }
  }

  var discarded: [CheckpointShard] {
    flatMap { (action) -> [CheckpointShard] in
      if case .discardCheckpointFiles(let shards) = action { shards } else { [] }
    }
  }

  func sent(to node: NodeID) -> [CoordinatorMessage] {
    sent.filter { $0.node == node }.map(\.message)
  }

  var tasks: [(node: NodeID, task: WorkerTask)] {
    compactMap {
      if case .send(.task(let task), let node) = $0 { (node, task) } else { nil }
    }
  }

  var sent: [(node: NodeID, message: CoordinatorMessage)] {
    compactMap { if case .send(let message, let node) = $0 { (node, message) } else { nil } }
  }

  /// Without notices that the run waits.
  var besidesWaiting: [CoordinatorAction] {
    filter { if case .report(.waiting) = $0 { false } else { true } }
  }

  var reports: [RunEvent] {
    compactMap { if case .report(let event) = $0 { event } else { nil } }
  }

  var records: [RunRecord] {
    compactMap { if case .record(let record) = $0 { record } else { nil } }
  }

  var outcome: RunOutcome? {
    if case .finish(let outcome)? = last { outcome } else { nil }
  }

  var failure: RunFailure? {
    if case .failed(let failure)? = outcome?.ending { failure } else { nil }
  }

  var refusal: Refusal? {
    sent.compactMap { if case .refused(let refusal) = $0.message { refusal } else { nil } }.first
  }

  var welcome: Welcome? {
    sent.compactMap { if case .welcome(let welcome) = $0.message { welcome } else { nil } }.first
  }
}
