import Coordinator
import Protocol
import Testing

@Suite struct EpochTests {
  @Test("a round of final matrices begins when all blocks of the one before are done")
  func materializingRounds() throws {
    var plan = ScriptedCluster.plan()
    plan.materializeBlockCount = 6
    plan.materializeRoundCount = 2
    var cluster = try ScriptedCluster(plan)
    let first = cluster.finishTasks(cluster.form()) { _ in ["loss.total": 1] }
    #expect(
      first.tasks.map(\.task.body) == [
        .materialize(version: 8, epoch: 0, blocks: [0, 2]),
        .materialize(version: 8, epoch: 0, blocks: [1]),
      ])
    cluster.now += 1
    func finish(_ index: Int) -> [CoordinatorAction] {
      let (node, task) = first.tasks[index]
      let reports = task.body.units.map { UnitReport(unit: $0, sums: [:]) }
      return cluster.receive(.taskDone(id: task.id, reports: reports), from: node)
    }
    #expect(finish(0).tasks.isEmpty, "another block of the round is under way")
    cluster.now += 1
    let second = finish(1)
    #expect(
      second.tasks.map(\.task.body) == [
        .materialize(version: 8, epoch: 0, blocks: [3, 5]),
        .materialize(version: 8, epoch: 0, blocks: [4]),
      ])
    let beat = ScriptedCluster.heartbeat(task: second.tasks[0].task.id, done: 1)
    #expect(
      cluster.receive(beat, from: second.tasks[0].node).reports
        == [.progress(.materialize, epoch: 0, done: 4, total: 6)])
    let ranking = cluster.finishTasks(second, seconds: 2) { _ in [:] }
    #expect(ranking.tasks.first?.task.body == .rank(version: 8, epoch: 0, blocks: [0, 2]))
    let saving = cluster.finishTasks(ranking) { _ in ["valid.recall@20": 1, "valid.users": 2] }
    guard case .evaluated(let summary)? = saving.reports.first else {
      Issue.record("no evaluation: \(saving.reports)")
      return
    }
    #expect(summary.materializeSeconds == 4)
  }

  @Test("blocks that are not rounds of equally many are refused")
  func unequalRounds() {
    var plan = ScriptedCluster.plan()
    plan.materializeRoundCount = 2
    let error = #expect(throws: CoordinationError.self) { try plan.validate() }
    #expect(error?.message.contains("3 blocks of final matrices are not 2 rounds") == true)
    plan.materializeRoundCount = 0
    #expect(throws: CoordinationError.self) { try plan.validate() }
  }

  @Test("an epoch's transcript: train, materialize, rank, save, train the next")
  func transcript() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let start = cluster.form()

    let materialize = cluster.finishTasks(start, seconds: 4) { _ in
      ["loss.total": 2, "stat.sigma": 1, "pairs": 10]
    }
    let epoch = EpochSummary(
      epoch: 0, version: 8,
      values: ["loss.total": 1.5, "stat.sigma": 0.75, "pairs": 30], seconds: 4)
    #expect(materialize.reports == [.epochFinished(epoch)])
    #expect(materialize.records.map(\.change) == [.epochFinished(epoch)])
    #expect(materialize.records.first?.progress.version == 8)
    #expect(
      materialize.tasks.map(\.task.body) == [
        .materialize(version: 8, epoch: 0, blocks: [0, 2]),
        .materialize(version: 8, epoch: 0, blocks: [1]),
      ])

    let ranking = cluster.finishTasks(materialize, seconds: 2) { _ in [:] }
    #expect(
      ranking.tasks.map(\.task.body) == [
        .rank(version: 8, epoch: 0, blocks: [0, 2]), .rank(version: 8, epoch: 0, blocks: [1]),
      ])

    let saving = cluster.finishTasks(ranking, seconds: 3) { block in
      [
        "valid.recall@20": Double(block), "valid.users": 2, "test.recall@20": 1, "test.users": 4,
      ]
    }
    let evaluation = EvaluationSummary(
      epoch: 0, version: 8, metrics: ["valid.recall@20": 0.5, "test.recall@20": 0.25],
      users: ["valid": 6, "test": 12], materializeSeconds: 2, rankSeconds: 3)
    #expect(
      saving.reports == [
        .evaluated(evaluation),
        .improved(metric: "valid.recall@20", value: 0.5, previous: nil, epoch: 0),
      ])
    #expect(
      saving.last
        == .saveBest(
          epoch: 0, version: 8, generation: 1, endpoints: ["tcp://host:100", "tcp://host:101"]))
    #expect(saving.tasks.isEmpty)
    #expect(saving.records.last?.progress.isBestSaved == false)

    cluster.now += 1.5
    let next = cluster.handle(.bestSaved)
    #expect(next.records.last?.progress.isBestSaved == true)
    #expect(next.reports.first == .bestSaved(epoch: 0, seconds: 1.5))
    #expect(
      next.tasks.map(\.task.body) == [
        .train(epoch: 1, firstVersion: 8, startVersion: 8, shards: [0, 2]),
        .train(epoch: 1, firstVersion: 8, startVersion: 8, shards: [1]),
      ])
    #expect(Set((start + materialize + ranking + next).tasks.map(\.task.id)).count == 8)
  }

  @Test("the last epoch ends the run as completed, and every node gets a finish message")
  func completed() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(epochs: 2))
    let second = cluster.epoch(cluster.form(), recall: 0.1)
    let end = cluster.epoch(second, recall: 0.2)
    #expect(end.outcome?.ending == .completed)
    #expect(end.outcome?.epochsFinished == 2)
    #expect(end.outcome?.best == .init(epoch: 1, version: 16, value: 0.2))
    let finishes = end.sent.filter { if case .finish = $0.message { true } else { false } }
    #expect(finishes.map(\.node) == [100, 101, 200, 201])
    #expect(end.records.last?.progress.status == .completed)
  }

  @Test("without an evaluation the next epoch begins at once; the last one is always evaluated")
  func evaluationInterval() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(epochs: 4, evaluationInterval: 3))
    var actions = cluster.form()
    var bodies: [String] = []
    while cluster.state.isEnded == false {
      switch actions.tasks.first?.task.body {
      case .train(let epoch, _, _, _):
        bodies.append("train \(epoch)")
        actions = cluster.finishTasks(actions) { _ in ["loss.total": 1] }
      case .materialize(_, let epoch, _):
        bodies.append("evaluate \(epoch)")
        cluster.finishTasks(cluster.actions) { _ in [:] }
        cluster.finishTasks(cluster.actions) { _ in ["valid.recall@20": 1, "valid.users": 1] }
        if cluster.actions.contains(where: \.isSaveBest) { cluster.handle(.bestSaved) }
        actions = cluster.actions
      default:
        Issue.record("unexpected task")
        return
      }
    }
    #expect(
      bodies == ["train 0", "train 1", "train 2", "evaluate 2", "train 3", "evaluate 3"])
  }

  @Test("the totals have the same bits whichever worker did what, in whatever order")
  func sumsAreIndependentOfOrder() throws {
    // Numbers whose sum depends on the order of the additions.
    let losses = [1e16, 1.0, -1e16, 3.7, 1e-3, 0.1, -7.3e8]
    var totals: Set<UInt64> = []
    for workers in [1, 2, 3, 7] as [UInt32] {
      for isReversed in [false, true] {
        var cluster = try ScriptedCluster(ScriptedCluster.plan(workers: workers, shards: 7))
        let start = cluster.form()
        let actions = cluster.finishTasks(start, isReversed: isReversed) { shard in
          ["loss.total": losses[Int(shard)]]
        }
        guard case .epochFinished(let summary)? = actions.reports.first else {
          Issue.record("the epoch did not finish")
          return
        }
        totals.insert(try #require(summary.values["loss.total"]).bitPattern)
      }
    }
    #expect(totals.count == 1)
    #expect(totals == [(losses.reduce(0, +) / 4).bitPattern])
    #expect(losses.reversed().reduce(0, +) != losses.reduce(0, +), "the numbers prove nothing")
  }

  @Test("a metric that some blocks do not have counts as zero there; splits without users vanish")
  func partialReports() {
    let sums = UnitSums([
      UnitReport(unit: 1, sums: ["valid.users": 3, "valid.recall@5": 1.5]),
      UnitReport(unit: 0, sums: ["valid.users": 1, "test.users": 0, "test.recall@5": 0]),
    ])
    let (metrics, users) = sums.evaluationMeans()
    #expect(metrics == ["valid.recall@5": 0.375])
    #expect(users == ["valid": 4])
  }

  @Test("sums of squares become standard errors of the means, from two users on")
  func standardErrors() throws {
    let sums = UnitSums([
      UnitReport(
        unit: 0,
        sums: ["valid.users": 1, "valid.recall@5": 1, "valid squares.recall@5": 1]),
      UnitReport(
        unit: 1,
        sums: ["valid.users": 3, "valid.recall@5": 1, "valid squares.recall@5": 0.5]),
      UnitReport(
        unit: 2, sums: ["test.users": 1, "test.recall@5": 1, "test squares.recall@5": 1]),
    ])
    let (metrics, users) = sums.evaluationMeans()
    // s² = (1.5 − 4/4) / 3, over 4 users.
    let error = try #require(metrics["valid standard_error.recall@5"])
    #expect(abs(error - (0.5 / 12).squareRoot()) < 1e-15)
    #expect(
      Set(metrics.keys) == ["valid.recall@5", "valid standard_error.recall@5", "test.recall@5"])
    #expect(users == ["valid": 4, "test": 1])
  }

  @Test("an epoch reports the staleness of its rows, over all shards, if they may be stale")
  func staleness() {
    let sums = UnitSums([
      UnitReport(unit: 0, sums: ["staleness.0": 3, "staleness.2": 1, "staleness.total": 2]),
      UnitReport(unit: 1, sums: ["staleness.0": 4, "staleness.total": 0, "loss.total": 4]),
    ])
    let values = sums.epochValues(stepsPerEpoch: 4)
    #expect(values["staleness.mean"] == 0.25 && values["staleness.max"] == 2)
    #expect(values["staleness.0"] == 7 && values["loss.total"] == 1)
    let exact = UnitSums([UnitReport(unit: 0, sums: ["loss.total": 4])])
    #expect(exact.epochValues(stepsPerEpoch: 4) == ["loss.total": 1])
  }

  @Test("heartbeats are answered, and the steps that all servers have made are reported")
  func progress() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let tasks = cluster.form().tasks
    let first = cluster.receive(ScriptedCluster.heartbeat(version: 6), from: 100)
    #expect(first == [.send(.heartbeatAcknowledged(generation: 1), to: 100)])
    let second = cluster.receive(ScriptedCluster.heartbeat(version: 5), from: 101)
    #expect(second.reports == [.progress(.train, epoch: 0, done: 2, total: 4)])
    let absurd = cluster.receive(ScriptedCluster.heartbeat(version: .max), from: 101)
    #expect(absurd.reports == [.progress(.train, epoch: 0, done: 3, total: 4)])
    #expect(
      cluster.receive(ScriptedCluster.heartbeat(generation: 9, version: 8), from: 100).reports == []
    )
    cluster.finishTasks(tasks.map { .send(.task($0.task), to: $0.node) }) { _ in ["loss.total": 1] }
    let materialize = try #require(cluster.actions.tasks.first)
    let blocks = ScriptedCluster.heartbeat(task: materialize.task.id, done: 1)
    #expect(
      cluster.receive(blocks, from: materialize.node).reports
        == [.progress(.materialize, epoch: 0, done: 1, total: 3)])
  }

  @Test("answers to old, foreign and unknown tasks are ignored and counted")
  func lateAnswers() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let start = cluster.form()
    let (node, task) = try #require(start.tasks.first)
    let reports = task.body.units.map { UnitReport(unit: $0, sums: ["loss.total": 1]) }
    #expect(cluster.receive(.taskDone(id: task.id, reports: reports), from: 201).isEmpty)
    #expect(cluster.receive(.taskDone(id: 999, reports: reports), from: node).isEmpty)
    #expect(cluster.state.ignoredMessageCount == 2)
    cluster.receive(.taskDone(id: task.id, reports: reports), from: node)
    #expect(cluster.receive(.taskDone(id: task.id, reports: reports), from: node).isEmpty)
    #expect(
      cluster.receive(.taskFailed(id: task.id, TaskFailure(.failed, "late")), from: node).isEmpty)
    #expect(cluster.receive(.ready(generation: 1), from: node).isEmpty)
    #expect(cluster.handle(.bestSaved).isEmpty)
    #expect(cluster.state.ignoredMessageCount == 6)
    #expect(!cluster.state.isEnded)
  }
}
