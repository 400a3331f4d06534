import Coordinator
import Protocol

/// A worker as the contract describes it, without numbers. It does one thing with one server at a
/// time, so that it can be lost in between.
struct SimulatedWorker {
  private enum Stage {
    /// `answered`: servers that have.
    case pulling(UInt64, confirming: [UInt32], answered: Set<NodeID>)
    case pushing(UInt64, to: Int)
    case waiting
  }

  let plan: RunPlan
  var membership: SimulatedMembership
  private var servers: [NodeID] = []
  private var task: WorkerTask?
  private var stage = Stage.waiting
  private var lastAnswer: NodeMessage?
  private var lastTask: UInt64 = 0

  init(plan: RunPlan, hello: NodeHello) {
    self.plan = plan
    membership = SimulatedMembership(hello: hello)
  }

  mutating func hear(_ envelope: CoordinatorEnvelope) {
    if membership.hear(envelope) {
      (task, servers, stage) = (nil, [], .waiting)
      membership.hello.holding = HeldState(
        generation: membership.generation, rank: membership.rank, version: 0)
    }
    guard envelope.term == membership.term else { return }
    switch envelope.message {
    case .servers(membership.generation, let endpoints):
      servers = endpoints.compactMap { NodeID($0.split(separator: ":").last ?? "") }
      membership.isReady = true
      membership.outbox.append(.ready(generation: membership.generation))
    case .task(let task): begin(task)
    default: break
    }
  }

  private mutating func begin(_ task: WorkerTask) {
    guard task.generation == membership.generation else { return }
    if task.id == lastTask, self.task == nil, let lastAnswer {
      return membership.outbox.append(lastAnswer)
    }
    guard task.id > lastTask else { return }
    lastTask = task.id
    self.task = task
    switch task.body {
    case .train(_, _, let start, _): stage = .pulling(start, confirming: [], answered: [])
    case .materialize(let version, _, _), .rank(let version, _, _):
      stage = .pulling(version, confirming: [], answered: [])
    }
  }

  mutating func beat() {
    guard !membership.isCalling else { return membership.outbox.append(.hello(membership.hello)) }
    membership.outbox.append(
      TestCluster.beat(task: task?.id ?? 0, generation: membership.generation))
  }

  /// Goes one step on with its task.
  ///
  /// - Parameter cluster: the servers that answer, by node.
  mutating func work(with cluster: inout [NodeID: SimulatedServer]) {
    guard let task else { return }
    switch stage {
    case .waiting: break
    case .pulling(let version, let shards, let answered):
      pull(version, shards, answered, task, from: &cluster)
    case .pushing(let version, let index):
      guard index < servers.count else {
        stage = .pulling(version + 1, confirming: task.body.units, answered: [])
        return
      }
      for shard in task.body.units {
        let answer = cluster[servers[index]]?.push(
          generation: task.generation, version: version, shard: shard)
        if answer != .rows { return }
      }
      stage = .pushing(version, to: index + 1)
    }
  }

  private mutating func pull(
    _ version: UInt64, _ shards: [UInt32], _ answered: Set<NodeID>, _ task: WorkerTask,
    from cluster: inout [NodeID: SimulatedServer]
  ) {
    for node in servers where !answered.contains(node) {
      switch cluster[node]?.pull(generation: task.generation, version: version, confirming: shards)
      {
      case nil, .later, .stale: continue
      case .rows:
        // The next server is asked later: what is confirmed here may never arrive there.
        stage = .pulling(version, confirming: shards, answered: answered.union([node]))
        return
      case .gone(let newer):
        guard case .train = task.body else {
          // Only a superseded task can be so late.
          return finish(task, .taskFailed(id: task.id, TaskFailure(.failed, "version is gone")))
        }
        stage = .pulling(newer, confirming: task.body.units, answered: [])
        return
      }
    }
    guard answered.count == servers.count else { return }
    if case .train(let epoch, _, _, _) = task.body, version < plan.firstVersion(ofEpoch: epoch + 1)
    {
      stage = .pushing(version, to: 0)
    } else {
      let reports = task.body.units.map { UnitReport(unit: $0, sums: Self.sums(task.body, $0)) }
      finish(task, .taskDone(id: task.id, reports: reports))
    }
  }

  private mutating func finish(_ task: WorkerTask, _ answer: NodeMessage) {
    membership.outbox.append(answer)
    lastAnswer = answer
    self.task = nil
    stage = .waiting
  }

  static func sums(_ body: TaskBody, _ unit: UInt32) -> [String: Double] {
    switch body {
    case .train(let epoch, _, _, _): ["loss.total": 1 / Double(epoch + unit + 3)]
    case .materialize: [:]
    case .rank(_, let epoch, _):
      ["valid.recall@20": [0.3, 0.5, 0.2, 0.6][Int(epoch) % 4], "valid.users": 1]
    }
  }
}
