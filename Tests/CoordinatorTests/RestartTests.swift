import Coordinator
import Protocol
import Testing

@Suite struct RestartTests {
  private func sums(_ unit: UInt32) -> [String: Double] {
    ["loss.total": 1, "valid.recall@20": 0.1, "valid.users": 1]
  }

  /// All nodes send a hello with what they hold.
  @discardableResult
  private func gather(
    _ cluster: inout ScriptedCluster, versions: [UInt64], generation: UInt64 = 1
  ) -> [CoordinatorAction] {
    var actions: [CoordinatorAction] = []
    for (rank, node) in cluster.workerIDs.enumerated() {
      let holding = HeldState(generation: generation, rank: UInt32(rank), version: 0)
      actions += cluster.receive(ScriptedCluster.hello(.worker, node, holding: holding), from: node)
    }
    for (rank, node) in cluster.serverIDs.enumerated().reversed() {
      let holding = HeldState(generation: generation, rank: UInt32(rank), version: versions[rank])
      actions += cluster.receive(ScriptedCluster.hello(.server, node, holding: holding), from: node)
    }
    return actions
  }

  @Test("a restarted coordinator adopts the servers, and training resumes where they are")
  func adoption() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let old = cluster.epoch(cluster.form(), recall: 0.1).tasks
    try cluster.restartCoordinator()
    #expect(cluster.receive(ScriptedCluster.heartbeat(), from: 200).refusal?.code == .helloNeeded)
    let hello = ScriptedCluster.hello(
      .worker, 200, holding: HeldState(generation: 1, rank: 0, version: 0))
    #expect(cluster.receive(hello, from: 200).refusal?.code == .notReady)
    let actions = gather(&cluster, versions: [13, 12])
    #expect(!actions.contains(.findCheckpoint))
    #expect(actions.records.isEmpty)
    let welcomes = cluster.actions.sent.compactMap { sent -> (NodeID, UInt32)? in
      guard case .welcome(let welcome) = sent.message, welcome.generation == 1 else { return nil }
      return (sent.node, welcome.rank)
    }
    #expect(welcomes.map(\.0) == [100, 101, 200, 201])
    #expect(welcomes.map(\.1) == [0, 1, 0, 1])

    // Workers may be ready first: they know the servers.
    let start = cluster.ready([200, 201, 100, 101])
    #expect(start.reports.contains(.resumed(epoch: 1, version: 12, from: .adoption)))
    #expect(
      start.tasks.map(\.task.body) == [
        .train(epoch: 1, firstVersion: 8, startVersion: 12, shards: [0, 2]),
        .train(epoch: 1, firstVersion: 8, startVersion: 12, shards: [1]),
      ])
    let ids = start.tasks.map(\.task.id)
    #expect(ids.allSatisfy { $0 > 2 << 32 && $0 > old[1].task.id })
    #expect(cluster.records.progress.term == 2)
    // And the run ends as ever.
    let second = cluster.epoch(start, recall: 0.2)
    #expect(cluster.epoch(second, recall: 0.1).outcome?.best?.epoch == 1)
    #expect(cluster.records.epochs.map(\.epoch) == [0, 1, 2])
  }

  @Test("an epoch that ended without a coordinator is closed by a task that starts at its end")
  func closing() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.epoch(cluster.form(), recall: 0.1)
    try cluster.restartCoordinator()
    gather(&cluster, versions: [16, 16])
    let start = cluster.ready([100, 101, 200, 201])
    #expect(
      start.tasks.map(\.task.body) == [
        .train(epoch: 1, firstVersion: 8, startVersion: 16, shards: [0, 2]),
        .train(epoch: 1, firstVersion: 8, startVersion: 16, shards: [1]),
      ])
    let next = cluster.finishTasks(start, sums: sums)
    #expect(cluster.records.epochs.map(\.epoch) == [0, 1])
    #expect(next.tasks.first?.task.body == .materialize(version: 16, epoch: 1, blocks: [0, 2]))
  }

  @Test("a missing evaluation, or best model, is made before training resumes")
  func missingFacts() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.finishTasks(cluster.form(), sums: sums)
    try cluster.restartCoordinator()
    gather(&cluster, versions: [8, 8])
    let start = cluster.ready([100, 101, 200, 201])
    #expect(start.tasks.first?.task.body == .materialize(version: 8, epoch: 0, blocks: [0, 2]))
    cluster.finishTasks(start, sums: sums)
    #expect(cluster.finishTasks(cluster.actions, sums: sums).last?.isSaveBest == true)

    try cluster.restartCoordinator()
    gather(&cluster, versions: [8, 8])
    // Whether the tables have the final vectors already is not recorded.
    let again = cluster.ready([100, 101, 200, 201])
    #expect(again.tasks.first?.task.body == .materialize(version: 8, epoch: 0, blocks: [0, 2]))
    #expect(cluster.finishTasks(again, sums: sums).last?.isSaveBest == true)
    #expect(cluster.handle(.bestSaved).tasks.map(\.task.body.epoch) == [1, 1])
    #expect(cluster.records.evaluations.count == 1)
  }

  @Test("a single server that was changed rolls all back to the newest checkpoint")
  func adoptionImpossible() throws {
    let hellos: [NodeMessage] = [
      // It was started again, too.
      ScriptedCluster.hello(.server, 105),
      // It is of a generation before.
      ScriptedCluster.hello(.server, 105, holding: HeldState(generation: 1, rank: 1, version: 9)),
      // Two of the same rank.
      ScriptedCluster.hello(.server, 105, holding: HeldState(generation: 2, rank: 0, version: 9)),
      // The records end before.
      ScriptedCluster.hello(.server, 105, holding: HeldState(generation: 2, rank: 1, version: 17)),
    ]
    for hello in hellos {
      var cluster = try ScriptedCluster(ScriptedCluster.plan())
      cluster.epoch(cluster.form(), recall: 0.1)
      cluster.handle(.nodeGone(100))
      try cluster.restartCoordinator()
      let holding = HeldState(generation: 2, rank: 0, version: 9)
      cluster.receive(ScriptedCluster.hello(.server, 100, holding: holding), from: 100)
      let decision = cluster.receive(hello, from: 105)
      #expect(decision.records.map(\.progress.generation) == [3])
      #expect(decision.contains(.findCheckpoint))
      let restored = RestoredCheckpoint(manifest: "m", version: 8)
      cluster.handle(.checkpointFound(restored))
      cluster.addWorker(200)
      // One worker is enough for a run that has begun.
      cluster.ready([100, 105])
      let start = cluster.ready([200])
      #expect(start.reports.contains(.resumed(epoch: 1, version: 8, from: .checkpoint(restored))))
      #expect(start.tasks.map(\.task.body.units) == [[0, 1, 2]])
    }
  }

  @Test("with another number of servers nothing is adopted")
  func otherServerCount() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.epoch(cluster.form(), recall: 0.1)
    try cluster.restartCoordinator(servers: 1)
    let holding = HeldState(generation: 1, rank: 0, version: 9)
    let decision = cluster.receive(ScriptedCluster.hello(.server, 100, holding: holding), from: 100)
    #expect(decision.contains(.findCheckpoint))
    let welcome = cluster.handle(.checkpointFound(nil)).welcome
    #expect(welcome?.serverCount == 1)
    #expect(welcome?.generation == 2)
  }

  @Test("a run that never began waits for all its workers; a resumed one needs only one")
  func neverBegan() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.receive(ScriptedCluster.hello(.server, 100), from: 100)
    try cluster.restartCoordinator()
    for node in [100, 101] as [NodeID] {
      cluster.receive(ScriptedCluster.hello(.server, node), from: node)
    }
    cluster.handle(.checkpointFound(nil))
    cluster.ready([100, 101])
    #expect(cluster.addWorker(200).tasks.isEmpty)
    #expect(cluster.addWorker(201).tasks.count == 2)
  }

  @Test("a server that an earlier coordinator held is released to the end of the run")
  func leftHold() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.epoch(cluster.form(), recall: 0.1)
    cluster.handle(.stopRequested(reason: "Ctrl-C"))
    try cluster.restartCoordinator()
    gather(&cluster, versions: [9, 9])
    cluster.ready([100, 101, 200, 201])
    let answer = cluster.receive(.held(generation: 1, version: 9), from: 100)
    #expect(answer == [.send(.checkpoint(generation: 1, version: 24), to: 100)])
  }

  @Test("a run that lacks only the record of its end ends at once")
  func ended() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(epochs: 1))
    cluster.epochUntilSaving()
    let before = cluster.records
    let end = cluster.handle(.bestSaved)
    #expect(end.outcome?.ending == .completed)
    // The record of the end is lost; that of the saved model is not.
    var progress = end.records[0].progress
    progress.status = .running
    var plan = cluster.state.plan
    plan.term = 2
    let point = ResumePoint(progress: progress, evaluations: before.evaluations)
    var again = try CoordinatorState(plan: plan, resuming: point)
    #expect(again.recordedEnding == .completed)
    let actions = again.handle(.message(ScriptedCluster.hello(.worker, 7), from: 7), at: 0)
    #expect(actions.outcome == end.outcome)
    #expect(actions.sent(to: 7).count == 1)
  }

  @Test("patience and the best so far are as before the restart")
  func patience() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(epochs: 10, patience: 1))
    let second = cluster.epoch(cluster.form(), recall: 0.3)
    let third = cluster.epoch(second, recall: 0.2)
    #expect(third.tasks.count == 2)
    try cluster.restartCoordinator()
    #expect(cluster.state.progress.best == .init(epoch: 0, version: 8, value: 0.3))
    #expect(cluster.state.progress.nonImprovingCount == 1)
    #expect(cluster.state.progress.isBestSaved)
    gather(&cluster, versions: [20, 20])
    let start = cluster.ready([100, 101, 200, 201])
    #expect(cluster.epoch(start, recall: 0.3).outcome?.ending == .earlyStopped)
  }

  @Test("the best model that was written stays the best when the next was not written")
  func formerBest() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let second = cluster.epoch(cluster.form(), recall: 0.1)
    cluster.finishTasks(second, sums: sums)
    cluster.finishTasks(cluster.actions, sums: sums)
    cluster.finishTasks(cluster.actions) { _ in ["valid.recall@20": 0.5, "valid.users": 1] }
    #expect(cluster.actions.last?.isSaveBest == true)
    try cluster.restartCoordinator()
    #expect(cluster.state.progress.best?.epoch == 1)
    #expect(!cluster.state.progress.isBestSaved)
    let end = cluster.handle(.stopRequested(reason: "Ctrl-C"))
    #expect(end.outcome?.best?.epoch == 0)
  }

  @Test("a process of a later generation than is recorded is refused, with both in the message")
  func laterThanRecorded() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.form()
    try cluster.restartCoordinator()
    let holding = HeldState(generation: 7, rank: 0, version: 9)
    let refusal = cluster.receive(ScriptedCluster.hello(.server, 100, holding: holding), from: 100)
      .refusal
    #expect(refusal?.code == .wrongRun)
    #expect(refusal?.message.contains("generation 7") == true)
    #expect(refusal?.message.contains("end at generation 1") == true)
  }

  @Test("records that do not fit the plan are refused")
  func contradictions() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.epoch(cluster.epoch(cluster.form(), recall: 0.1), recall: 0.2)
    var short = ScriptedCluster.plan(epochs: 1)
    short.term = 2
    #expect {
      try CoordinatorState(plan: short, resuming: ResumePoint(cluster.records))
    } throws: { "\($0)".contains("2 epochs are recorded, and the run has 1") }
    var other = ScriptedCluster.plan()
    other.selection.metric = "valid.ndcg@5"
    #expect {
      try CoordinatorState(plan: other, resuming: ResumePoint(cluster.records))
    } throws: { "\($0)".contains("has no 'valid.ndcg@5'") }
  }
}
