import Coordinator
import Protocol
import Testing

/// A coordinator state, with messages that a test writes for its nodes: no node behaves in any way
/// of its own. The invariants are checked after every event.
///
/// Servers have the ids 100, 101, …, workers 200, 201, …. Whole clusters, whose nodes are the real
/// ones, are in `Simulation`.
struct ScriptedCluster {
  var state: CoordinatorState
  /// What has been recorded.
  private(set) var records: StoredRun
  var now = 0.0
  private(set) var actions: [CoordinatorAction] = []

  static let firstServer: NodeID = 100
  static let firstWorker: NodeID = 200

  init(_ plan: RunPlan) throws {
    state = try CoordinatorState(plan: plan)
    records = StoredRun(
      identity: RunIdentity(
        id: plan.runID, created: "2026-01-02T03:04:05Z", configuration: plan.configuration,
        digests: [:]),
      progress: state.progress, message: "", epochs: [], evaluations: [])
  }

  /// The coordinator is killed and started again from its records.
  mutating func restartCoordinator(servers: UInt32? = nil) throws {
    var plan = state.plan
    plan.term += 1
    plan.serverCount = servers ?? plan.serverCount
    state = try CoordinatorState(plan: plan, resuming: ResumePoint(records))
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
    for record in actions.records { records.apply(record) }
    #expect(
      state.brokenInvariants(after: before) == [], "after \(event)",
      sourceLocation: sourceLocation)
    return actions
  }

  @discardableResult
  mutating func receive(_ message: NodeMessage, from node: NodeID) -> [CoordinatorAction] {
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

  static func heartbeat(
    task: UInt64 = 0, done: UInt64 = 0, generation: UInt64 = 1, version: UInt64 = 0
  ) -> NodeMessage {
    .heartbeat(
      Heartbeat(
        residentBytes: 1, peakResidentBytes: 1, cpuSeconds: 1, taskProgress: done, taskID: task,
        generation: generation, version: version))
  }

  /// All nodes join and are ready; the actions are those of the last message.
  @discardableResult
  mutating func form() -> [CoordinatorAction] {
    for node in serverIDs {
      receive(Self.hello(.server, node), from: node)
      receive(.ready(generation: state.generation), from: node)
    }
    for node in workerIDs {
      receive(Self.hello(.worker, node), from: node)
      receive(.ready(generation: state.generation), from: node)
    }
    return actions
  }

  var serverIDs: [NodeID] {
    (0..<NodeID(state.plan.serverCount)).map { Self.firstServer + $0 }
  }

  var workerIDs: [NodeID] {
    (0..<NodeID(state.plan.workerCount)).map { Self.firstWorker + $0 }
  }

  /// Members send that they are ready for the generation.
  @discardableResult
  mutating func ready(_ nodes: [NodeID]) -> [CoordinatorAction] {
    var all: [CoordinatorAction] = []
    for node in nodes { all += receive(.ready(generation: state.generation), from: node) }
    return all
  }

  /// All servers send heartbeats with a version.
  mutating func serversReach(_ version: UInt64) {
    for node in serverIDs {
      receive(Self.heartbeat(generation: state.generation, version: version), from: node)
    }
  }

  /// What a server sends when its file of a version is written.
  func shard(_ version: UInt64, rank: UInt32, generation: UInt64? = nil) -> NodeMessage {
    .checkpointWritten(
      CheckpointShard(
        generation: generation ?? state.generation, version: version, rank: rank,
        file: "v\(version)/server-\(rank)", byteCount: 10, digest: "ab"))
  }

  /// All servers send that they have written a version, and it is committed.
  @discardableResult
  mutating func checkpoint(_ version: UInt64) -> [CoordinatorAction] {
    for (rank, node) in serverIDs.enumerated() {
      receive(shard(version, rank: UInt32(rank)), from: node)
    }
    guard let commit = actions.commits.first else { return actions }
    return handle(.checkpointCommitted(commit.committed))
  }

  /// Workers send that all tasks of `sent` are done, with `sums` per unit, in the order of the tasks
  /// or in reverse. The actions are those of the last message.
  @discardableResult
  mutating func finishTasks(
    _ sent: [CoordinatorAction], isReversed: Bool = false, seconds: Double = 1,
    sums: (UInt32) -> [String: Double]
  ) -> [CoordinatorAction] {
    now += seconds
    let tasks = sent.tasks
    for (node, task) in isReversed ? tasks.reversed() : tasks {
      let reports = task.body.units.map { UnitReport(unit: $0, sums: sums($0)) }
      receive(.taskDone(id: task.id, reports: reports), from: node)
    }
    return actions
  }

  /// A worker joins, and is ready.
  @discardableResult
  mutating func addWorker(_ node: NodeID) -> [CoordinatorAction] {
    receive(Self.hello(.worker, node), from: node)
    return ready([node])
  }

  /// The cluster forms, and the first epoch is trained and evaluated up to the saving of the best
  /// model.
  @discardableResult
  mutating func epochUntilSaving() -> [CoordinatorAction] {
    finishTasks(form()) { _ in ["loss.total": 1] }
    finishTasks(actions) { _ in [:] }
    return finishTasks(actions) { _ in ["valid.recall@20": 1, "valid.users": 1] }
  }

  /// The tasks under way: those that workers get when they send another hello.
  var currentTasks: [(node: NodeID, task: WorkerTask)] {
    var copy = state
    return workerIDs.flatMap { node in
      copy.handle(.message(Self.hello(.worker, node), from: node), at: now).tasks
    }
  }

  /// An epoch is trained and evaluated with a selection metric, and the best model saved if the
  /// coordinator asks for it.
  @discardableResult
  mutating func epoch(_ start: [CoordinatorAction], recall: Double) -> [CoordinatorAction] {
    finishTasks(start) { _ in ["loss.total": 0.5, "pairs": 10] }
    finishTasks(actions) { _ in [:] }
    let users = state.plan.rankBlockCount
    finishTasks(actions) { _ in
      ["valid.recall@20": recall / Double(users), "valid.users": 1 / Double(users)]
    }
    guard actions.contains(where: \.isSaveBest) else { return actions }
    let before = actions
    handle(.bestSaved)
    return before + actions
  }
}
