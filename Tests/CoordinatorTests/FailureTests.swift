import Coordinator
import Protocol
import Testing

@Suite struct FailureTests {
  @Test("when the coordinator itself was paused, no node counts as silent")
  func ownPause() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.form()
    for now in [500.0, 504, 508, 512] {
      cluster.now = now
      #expect(cluster.handle(.tick).isEmpty)
    }
    cluster.now = 514
    let lost = cluster.handle(.tick).reports.filter {
      if case .nodeLost = $0 { true } else { false }
    }
    #expect(lost.count == 4)
  }

  @Test("a coordinator that gets hardly any processor time does not lose its nodes for that")
  func ownStarvation() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.form()
    // It runs for a moment every 9 s, and reads one node's word each time: the others' wait.
    for (turn, node) in (cluster.serverIDs + cluster.workerIDs).enumerated() {
      cluster.now = Double(turn + 1) * 9
      cluster.receive(ScriptedCluster.heartbeat(), from: node)
      #expect(cluster.handle(.tickWhileBehind).reports.isEmpty)
    }
    cluster.now += 9
    #expect(cluster.handle(.tick).reports.isEmpty)
  }

  @Test("a flood of messages does not hide that a node is silent")
  func floodAndSilence() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.form()
    var lost: [Double] = []
    for second in 1...40 where lost.isEmpty {
      cluster.now = Double(second)
      for node in cluster.serverIDs + cluster.workerIDs.dropLast() {
        cluster.receive(ScriptedCluster.heartbeat(), from: node)
      }
      let reports = cluster.handle(.tickWhileBehind).reports
      if reports.contains(where: { if case .nodeLost = $0 { true } else { false } }) {
        lost.append(cluster.now)
      }
    }
    // 10 s of silence count, and 10 s of waiting messages do not.
    #expect(lost == [21])
  }

  @Test("a task that fails ends the run for good, with the worker, its task and its reason")
  func taskFailed() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let (node, task) = try #require(cluster.form().tasks.first)
    let failure = cluster.receive(
      .taskFailed(id: task.id, TaskFailure(.failed, "cannot read image_feat.npy")), from: node
    ).failure
    #expect(failure?.kind == .taskFailed)
    #expect(failure?.isTransient == false)
    #expect(failure?.message.contains("worker 0") == true)
    #expect(failure?.message.contains("train shards [0, 2]") == true)
    #expect(failure?.message.contains("cannot read image_feat.npy") == true)
  }

  @Test("a worker whose loss is no number any more ends the run as diverged, not as a failed task")
  func taskDiverged() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let (node, task) = try #require(cluster.form().tasks.first)
    let failure = cluster.receive(
      .taskFailed(id: task.id, TaskFailure(.diverged, "Training diverged: ranking is nan")),
      from: node
    ).failure
    #expect(failure?.kind == .diverged)
    #expect(failure?.isTransient == false)
    #expect(failure?.message == "Training diverged: ranking is nan")
  }

  @Test("reports of other units than were leased end the run, with both in the message")
  func wrongUnits() throws {
    for units in [[0], [0, 1], [0, 0, 2], []] as [[UInt32]] {
      var cluster = try ScriptedCluster(ScriptedCluster.plan())
      let (node, task) = try #require(cluster.form().tasks.first)
      let reports = units.map { UnitReport(unit: $0, sums: ["loss.total": 1]) }
      let failure = cluster.receive(.taskDone(id: task.id, reports: reports), from: node).failure
      #expect(failure?.kind == .wrongAnswer)
      #expect(failure?.message.contains("same version of the program") == true)
    }
  }

  @Test(
    "a loss that is no number ends the run with the best so far, and names the term",
    arguments: [Double.nan, .infinity])
  func divergence(loss: Double) throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let second = cluster.epoch(cluster.form(), recall: 0.1)
    let end = cluster.finishTasks(second) { shard in
      ["loss.total": 1, "loss.kl": shard == 1 ? loss : 1]
    }
    let failure = try #require(end.failure)
    #expect(failure.kind == .diverged)
    #expect(!failure.isTransient)
    #expect(failure.message.contains("epoch 1"))
    #expect(failure.message.contains("loss.kl"))
    #expect(failure.message.contains("best model so far, of epoch 0, is kept"))
    #expect(end.outcome?.best?.epoch == 0)
    #expect(end.outcome?.epochsFinished == 1)
  }

  @Test("an evaluation without the selection metric ends the run and lists what there is")
  func missingMetric() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.finishTasks(cluster.form()) { _ in ["loss.total": 1] }
    cluster.finishTasks(cluster.actions) { _ in [:] }
    let failure = cluster.finishTasks(cluster.actions) { _ in ["valid.ndcg@5": 1, "valid.users": 1]
    }
    .failure
    #expect(failure?.kind == .metricMissing)
    #expect(failure?.message.contains("'valid.recall@20'") == true)
    #expect(failure?.message.contains("valid.ndcg@5") == true)
  }

  @Test("a best model that cannot be written ends the run and is not reported as the best")
  func bestNotSaved() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.finishTasks(cluster.form()) { _ in ["loss.total": 1] }
    cluster.finishTasks(cluster.actions) { _ in [:] }
    cluster.finishTasks(cluster.actions) { _ in ["valid.recall@20": 1, "valid.users": 1] }
    let end = cluster.handle(
      .bestSaveFailed("no space left on device", isTransient: false))
    #expect(end.failure?.kind == .bestNotSaved)
    #expect(end.failure?.message.contains("no space left on device") == true)
    #expect(end.outcome?.best == nil)
    #expect(end.records.last?.progress.isBestSaved == false)
  }

  @Test("without checkpoints a stop takes effect at once")
  func interrupted() throws {
    var forming = try ScriptedCluster(ScriptedCluster.plan())
    #expect(
      forming.handle(.stopRequested(reason: "Ctrl-C")).outcome?.ending
        == .interrupted(reason: "Ctrl-C"))
    var training = try ScriptedCluster(ScriptedCluster.plan(checkpoints: nil))
    let second = training.epoch(training.form(), recall: 0.4)
    #expect(!second.tasks.isEmpty)
    let end = training.handle(.stopRequested(reason: "Ctrl-C"))
    #expect(end.outcome?.ending == .interrupted(reason: "Ctrl-C"))
    #expect(end.outcome?.best?.epoch == 0)
    #expect(end.sent.count == 4)
  }

  @Test("a stop while the best model is written waits until it is written")
  func interruptedWhileSaving() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(checkpoints: nil))
    cluster.finishTasks(cluster.form()) { _ in ["loss.total": 1] }
    cluster.finishTasks(cluster.actions) { _ in [:] }
    cluster.finishTasks(cluster.actions) { _ in ["valid.recall@20": 1, "valid.users": 1] }
    #expect(cluster.handle(.stopRequested(reason: "SIGTERM")).isEmpty)
    let end = cluster.handle(.bestSaved)
    #expect(end.outcome?.ending == .interrupted(reason: "SIGTERM"))
    #expect(end.outcome?.best?.epoch == 0)
    #expect(end.tasks.isEmpty)
  }

  @Test("nodes learn whether the run failed and whether another attempt can help")
  func endings() throws {
    var incomplete = try ScriptedCluster(ScriptedCluster.plan())
    incomplete.receive(ScriptedCluster.hello(.server, 100), from: 100)
    for second in 1...61 {
      incomplete.now = Double(second)
      incomplete.receive(ScriptedCluster.heartbeat(), from: 100)
    }
    #expect(Self.endings(incomplete.handle(.tick)) == [.transientFailure])
    var diverged = try ScriptedCluster(ScriptedCluster.plan())
    let (node, task) = try #require(diverged.form().tasks.first)
    let end = diverged.receive(
      .taskFailed(id: task.id, TaskFailure(.diverged, "nan")), from: node)
    #expect(Self.endings(end) == [.permanentFailure])
  }

  private static func endings(_ actions: [CoordinatorAction]) -> Set<RunEnding> {
    Set(
      actions.sent.compactMap {
        if case .finish(_, let ending) = $0.message { ending } else { nil }
      })
  }

  @Test("the end is recorded before any node gets it, and is the last action")
  func recordedFirst() throws {
    var stopped = try ScriptedCluster(ScriptedCluster.plan())
    stopped.form()
    stopped.handle(.stopRequested(reason: "Ctrl-C"))
    let stop = stopped.handle(.stopRequested(reason: "Ctrl-C"))
    Self.requireOrder(stop, reaching: [100, 101, 200, 201])
    // A process replaces a server that a stop waits for.
    var replaced = try ScriptedCluster(ScriptedCluster.plan())
    replaced.receive(ScriptedCluster.hello(.server, 100, name: "server-0"), from: 100)
    replaced.form()
    replaced.handle(.stopRequested(reason: "Ctrl-C"))
    let newcomer = ScriptedCluster.hello(.server, 300, name: "server-0")
    Self.requireOrder(replaced.receive(newcomer, from: 300), reaching: [101, 200, 201, 300])
  }

  private static func requireOrder(_ end: [CoordinatorAction], reaching nodes: [NodeID]) {
    let isFarewell = end.map { action in
      if case .send(.finish, _) = action { true } else { false }
    }
    let recorded = end.firstIndex { if case .record = $0 { true } else { false } }
    #expect(recorded != nil && recorded ?? 0 < isFarewell.firstIndex(of: true) ?? 0)
    #expect(end.sent.map(\.node) == nodes)
    if case .finish = end.last {} else { Issue.record("the last action is not to finish") }
  }

  @Test("after the end a late node learns that the run is over, and nothing else happens")
  func afterTheEnd() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let tasks = cluster.form().tasks
    cluster.handle(.stopRequested(reason: "Ctrl-C"))
    cluster.handle(.stopRequested(reason: "Ctrl-C"))
    let answer = cluster.receive(ScriptedCluster.hello(.worker, 300), from: 300)
    let finish = CoordinatorMessage.finish(
      reason: "stopped after 0 epochs: Ctrl-C", ending: .stopped)
    #expect(answer == [.send(finish, to: 300)])
    #expect(cluster.receive(ScriptedCluster.heartbeat(), from: 200) == [.send(finish, to: 200)])
    for (node, task) in tasks {
      #expect(cluster.receive(.taskDone(id: task.id, reports: []), from: node).isEmpty)
    }
    cluster.now = 1000
    #expect(cluster.handle(.tick).isEmpty)
    #expect(cluster.handle(.nodeGone(200)).isEmpty)
    #expect(cluster.handle(.stopRequested(reason: "again")).isEmpty)
  }
}
