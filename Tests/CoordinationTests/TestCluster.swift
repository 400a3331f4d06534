import Coordination
import Messages
import Testing

/// A coordinator state with pretended nodes around it. Checks the invariants after every event.
struct TestCluster {
  var state: CoordinatorState
  var now = 0.0
  private(set) var actions: [CoordinatorAction] = []

  static let firstServer: NodeID = 100
  static let firstWorker: NodeID = 200

  init(_ plan: RunPlan) throws {
    state = try CoordinatorState(plan: plan)
  }

  static func plan(
    workers: UInt32 = 2, servers: UInt32 = 2, shards: UInt32 = 3, epochs: UInt32 = 3,
    evaluationInterval: UInt32 = 1, patience: UInt32 = 20,
    rounding: SelectionRule.Rounding = .none, blocks: UInt32 = 3
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
      timing: CoordinationTiming(heartbeatInterval: 1, heartbeatTimeout: 10, startupTimeout: 60))
  }

  @discardableResult
  mutating func handle(
    _ event: CoordinatorEvent, sourceLocation: SourceLocation = #_sourceLocation
  ) -> [CoordinatorAction] {
    actions = state.handle(event, at: now)
    #expect(state.brokenInvariants() == [], "after \(event)", sourceLocation: sourceLocation)
    return actions
  }

  @discardableResult
  mutating func send(_ message: NodeMessage, from node: NodeID) -> [CoordinatorAction] {
    handle(.message(message, from: node))
  }

  static func hello(
    _ role: NodeRole, _ node: NodeID, runID: String = "", endpoint: String? = nil
  ) -> NodeMessage {
    .hello(
      NodeHello(
        role: role, incarnation: node, runID: runID,
        dataEndpoint: endpoint ?? (role == .server ? "tcp://host:\(node)" : ""), host: "n1",
        processID: UInt32(node)))
  }

  /// All nodes join and set themselves up; the actions are those of the last one's readiness.
  @discardableResult
  mutating func form() -> [CoordinatorAction] {
    for index in 0..<NodeID(state.plan.serverCount) {
      send(Self.hello(.server, Self.firstServer + index), from: Self.firstServer + index)
      send(.ready, from: Self.firstServer + index)
    }
    for index in 0..<NodeID(state.plan.workerCount) {
      send(Self.hello(.worker, Self.firstWorker + index), from: Self.firstWorker + index)
      send(.ready, from: Self.firstWorker + index)
    }
    return actions
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
    case .train(_, _, let units), .materialize(_, _, let units), .rank(_, _, let units): units
    }
  }
}

extension CoordinatorAction {
  var isSaveBest: Bool {
    if case .saveBest = self { true } else { false }
  }
}

extension [CoordinatorAction] {
  var tasks: [(node: NodeID, task: WorkerTask)] {
    compactMap {
      if case .send(.task(let task), let node) = $0 { (node, task) } else { nil }
    }
  }

  var sent: [(node: NodeID, message: CoordinatorMessage)] {
    compactMap { if case .send(let message, let node) = $0 { (node, message) } else { nil } }
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
