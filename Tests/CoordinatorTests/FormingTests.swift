import Coordinator
import Protocol
import Testing

@Suite struct FormingTests {
  let server0: NodeID = 100
  let server1: NodeID = 101
  let worker0: NodeID = 200
  let worker1: NodeID = 201

  @Test("nodes get ranks by arrival, and a welcome that describes the run")
  func ranks() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let first = cluster.receive(ScriptedCluster.hello(.worker, worker1), from: worker1).welcome
    let second = cluster.receive(ScriptedCluster.hello(.worker, worker0), from: worker0).welcome
    let server = cluster.receive(ScriptedCluster.hello(.server, server1), from: server1).welcome
    #expect(first?.rank == 0)
    #expect(second?.rank == 1)
    #expect(server?.rank == 0)
    #expect(first?.runID == "run-1")
    #expect(first?.shardCount == 3)
    #expect(first?.stepsPerEpoch == 4)
    #expect(first?.roundsPerStep == 2)
    #expect(first?.tables.map(\.name) == ["user"])
    #expect(first?.configuration == "model: vbpr\n")
  }

  @Test("workers learn the servers' endpoints, in rank order, once all servers are ready")
  func endpoints() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.receive(ScriptedCluster.hello(.worker, worker0), from: worker0)
    cluster.receive(ScriptedCluster.hello(.server, server1), from: server1)
    cluster.receive(ScriptedCluster.hello(.server, server0), from: server0)
    #expect(cluster.receive(.ready(generation: 1), from: server0).sent.isEmpty)
    let sent = cluster.receive(.ready(generation: 1), from: server1).sent
    let expected = CoordinatorMessage.servers(
      generation: 1, endpoints: ["tcp://host:101", "tcp://host:100"])
    #expect(sent.map(\.node) == [worker0])
    #expect(sent.first?.message == expected)
    // A later worker learns them with its welcome.
    let late = cluster.receive(ScriptedCluster.hello(.worker, worker1), from: worker1).sent
    #expect(late.last?.message == expected)
  }

  @Test("the run begins only when every node is ready, and then hands out all shards")
  func begins() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.now = 5
    let actions = cluster.form()
    #expect(actions.tasks.map(\.node) == [worker0, worker1])
    #expect(
      actions.tasks.map(\.task.body) == [
        .train(epoch: 0, firstVersion: 0, startVersion: 0, shards: [0, 2]),
        .train(epoch: 0, firstVersion: 0, startVersion: 0, shards: [1]),
      ])
    #expect(actions.records.map(\.change) == [.clusterFormed])
    #expect(actions.records.first?.progress.status == .running)
  }

  @Test("a worker that reports ready before the servers are known is not counted")
  func earlyReadiness() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(workers: 1, servers: 1))
    cluster.receive(ScriptedCluster.hello(.worker, worker0), from: worker0)
    cluster.receive(.ready(generation: 1), from: worker0)
    #expect(cluster.state.ignoredMessageCount == 1)
    cluster.receive(ScriptedCluster.hello(.server, server0), from: server0)
    #expect(cluster.receive(.ready(generation: 1), from: server0).tasks.isEmpty)
    #expect(cluster.receive(.ready(generation: 1), from: worker0).tasks.count == 1)
  }

  @Test("a second hello of the same process is welcomed again with the same rank")
  func helloTwice() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let first = cluster.receive(ScriptedCluster.hello(.worker, worker0), from: worker0).welcome
    let again = cluster.receive(ScriptedCluster.hello(.worker, worker0), from: worker0)
    #expect(again.welcome == first)
    #expect(again.reports.isEmpty)
  }

  @Test("a second hello during a task is answered with the same task")
  func helloDuringTask() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let tasks = cluster.form().tasks
    let again = cluster.receive(ScriptedCluster.hello(.worker, worker1), from: worker1)
    #expect(again.tasks.map(\.task) == tasks.filter { $0.node == worker1 }.map(\.task))
  }

  @Test("a node of another run is refused, with both runs and advice in the message")
  func wrongRun() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let hello = ScriptedCluster.hello(.worker, worker0, runID: "run-9")
    let refusal = cluster.receive(hello, from: worker0).refusal
    #expect(refusal?.code == .wrongRun)
    #expect(refusal?.message.contains("'run-1', not 'run-9'") == true)
    #expect(refusal?.message.contains("check the coordinator's address") == true)
    // It has taken no rank.
    #expect(
      cluster.receive(ScriptedCluster.hello(.worker, worker1), from: worker1).welcome?.rank == 0)
  }

  @Test("a server too many is refused, which is reported once, and can replace a lost one")
  func clusterFull() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.form()
    let refused = cluster.receive(ScriptedCluster.hello(.server, 300), from: 300)
    #expect(refused.refusal?.code == .clusterFull)
    #expect(refused.refusal?.message.contains("all its 2 servers") == true)
    #expect(refused.reports.count == 1)
    let again = cluster.receive(ScriptedCluster.hello(.server, 300), from: 300)
    #expect(again.refusal?.code == .clusterFull)
    #expect(again.reports.isEmpty)
    cluster.handle(.nodeGone(100))
    cluster.handle(.checkpointFound(nil))
    #expect(cluster.receive(ScriptedCluster.hello(.server, 300), from: 300).welcome?.rank == 0)
  }

  @Test("a server without an endpoint is refused")
  func noEndpoint() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let hello = ScriptedCluster.hello(.server, server0, endpoint: "")
    #expect(cluster.receive(hello, from: server0).refusal?.code == .malformed)
  }

  @Test("a node that leaves while the cluster forms frees its rank, with a warning")
  func leaving() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(workers: 3))
    for node in [200, 201, 202] as [NodeID] {
      cluster.receive(ScriptedCluster.hello(.worker, node), from: node)
    }
    let left = cluster.receive(.goodbye(reason: "no data here"), from: 201)
    let how = "it left: no data here"
    #expect(left == [.report(.nodeLost(role: .worker, rank: 1, host: "n1", how: how))])
    #expect(cluster.receive(ScriptedCluster.hello(.worker, 203), from: 203).welcome?.rank == 1)
    #expect(cluster.receive(ScriptedCluster.hello(.worker, 204), from: 204).welcome?.rank == 3)
  }

  @Test("a server that is lost before the run begins costs a generation, so that none has two")
  func leavingServer() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.receive(ScriptedCluster.hello(.server, server0), from: server0)
    cluster.receive(.ready(generation: 1), from: server0)
    let left = cluster.receive(.goodbye(reason: "stop"), from: server0)
    #expect(left.records.first?.progress.generation == 2)
    #expect(left.records.first?.progress.status == .forming)
    cluster.handle(.checkpointFound(nil))
    let welcome = cluster.receive(ScriptedCluster.hello(.server, 300), from: 300).welcome
    #expect(welcome?.rank == 0)
    #expect(welcome?.generation == 2)
  }

  @Test("unknown nodes are asked for a hello; a hello of another incarnation is ignored")
  func unknownNodes() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    #expect(cluster.receive(.ready(generation: 1), from: 999).refusal?.code == .helloNeeded)
    #expect(cluster.receive(ScriptedCluster.heartbeat(), from: 999).refusal?.code == .helloNeeded)
    #expect(cluster.receive(.goodbye(reason: "bye"), from: 999).isEmpty)
    #expect(cluster.receive(ScriptedCluster.hello(.worker, 5), from: 999).isEmpty)
    #expect(cluster.state.ignoredMessageCount == 4)
  }

  @Test("more workers than shards: the idle ones are warned about once and still evaluate")
  func idleWorkers() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(workers: 3, shards: 2, blocks: 3))
    let start = cluster.form()
    let warning = RunEvent.idleWorkers(count: 1, shardCount: 2)
    #expect(start.reports.filter { $0 == warning }.count == 1)
    #expect(start.tasks.map(\.node) == [200, 201])
    let materialize = cluster.finishTasks(start) { _ in ["loss.total": 1] }
    #expect(materialize.tasks.map(\.node) == [200, 201, 202])
    let ranking = cluster.finishTasks(materialize) { _ in [:] }
    let next = cluster.finishTasks(ranking) { _ in ["valid.recall@20": 1, "valid.users": 1] }
    #expect(!next.reports.contains(warning))
  }

  @Test("a cluster that is not complete in time fails as transient and names what is missing")
  func startupTimeout() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.receive(ScriptedCluster.hello(.server, server0), from: server0)
    for second in 1...60 {
      cluster.now = Double(second)
      cluster.receive(ScriptedCluster.heartbeat(), from: server0)
      #expect(cluster.handle(.tick).besidesWaiting.isEmpty)
    }
    cluster.now = 60.5
    let failure = cluster.handle(.tick).failure
    #expect(failure?.isTransient == true)
    #expect(failure?.message.contains("1 server has not joined") == true)
    #expect(failure?.message.contains("2 workers have not joined") == true)
    #expect(failure?.message.contains("server 0 (host n1, process 100) is not ready") == true)
    #expect(failure?.message.contains("raise the start-up timeout") == true)
  }

  @Test("a plan that cannot work is refused with the reason")
  func invalidPlans() {
    var noWorkers = ScriptedCluster.plan()
    noWorkers.workerCount = 0
    #expect(throws: CoordinationError.self) { try CoordinatorState(plan: noWorkers) }
    var hasty = ScriptedCluster.plan()
    hasty.timing.heartbeatTimeout = 1.5
    #expect {
      try CoordinatorState(plan: hasty)
    } throws: { "\($0)".contains("at least twice the interval") }
    var untimely = ScriptedCluster.plan()
    untimely.term = 0
    #expect {
      try CoordinatorState(plan: untimely)
    } throws: { "\($0)".contains("a first start has term 1") }
    var vague = ScriptedCluster.plan()
    vague.selection.metric = "recall@20"
    #expect {
      try CoordinatorState(plan: vague)
    } throws: { "\($0)".contains("'valid.recall@20'") }
  }
}
