import Coordinator
import Protocol
import Testing

/// Where rows may be stale, an epoch that is trained again gives another model.
@Suite struct ReevaluationTests {
  private let restored = RestoredCheckpoint(manifest: "v8-g1/manifest.json", version: 8)

  private func ranked(_ recall: Double) -> (UInt32) -> [String: Double] {
    { _ in ["loss.total": 1, "valid.recall@20": recall / 3, "valid.users": 1.0 / 3] }
  }

  private func cluster(isExact: Bool = false) throws -> ScriptedCluster {
    var plan = ScriptedCluster.plan()
    plan.isExact = isExact
    return try ScriptedCluster(plan)
  }

  /// Trains and evaluates an epoch up to the saving of its model.
  private func evaluate(
    _ cluster: inout ScriptedCluster, _ start: [CoordinatorAction], recall: Double
  ) {
    cluster.finishTasks(start, sums: ranked(recall))
    for _ in 0..<2 { cluster.finishTasks(cluster.actions, sums: ranked(recall)) }
    #expect(cluster.actions.last?.isSaveBest == true)
  }

  /// A server is lost while the best model of the epoch at hand is saved.
  private func loseServer(
    of cluster: inout ScriptedCluster, rollingBackTo checkpoint: RestoredCheckpoint?
  ) -> [CoordinatorAction] {
    #expect(cluster.handle(.nodeGone(100)).contains(.cancelSave))
    cluster.handle(checkpoint.map { .checkpointFound($0) } ?? .noCheckpoint)
    cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
    return cluster.ready([101, 102, 200, 201])
  }

  @Test("an unsaved best epoch that was trained again is evaluated again, and that result counts")
  func measuredAgain() throws {
    for isExact in [false, true] {
      var cluster = try cluster(isExact: isExact)
      evaluate(&cluster, cluster.form(), recall: 0.5)
      let again = loseServer(of: &cluster, rollingBackTo: nil)
      #expect(again.tasks.map(\.task.body.epoch) == [0, 0])
      cluster.finishTasks(again, sums: ranked(0))
      let final = cluster.finishTasks(cluster.actions) { _ in [:] }
      guard !isExact else {
        #expect(final.last?.isSaveBest == true, "the tables are the same")
        continue
      }
      #expect(
        final.tasks.map(\.task.body) == [
          .rank(version: 8, epoch: 0, blocks: [0, 2]), .rank(version: 8, epoch: 0, blocks: [1]),
        ])
      #expect(cluster.finishTasks(final, sums: ranked(0.3)).last?.isSaveBest == true)
      let next = cluster.handle(.bestSaved)
      #expect(next.tasks.map(\.task.body.epoch) == [1, 1])
      let run = cluster.records
      #expect(run.evaluations.count == 1)
      #expect(abs((run.evaluations[0].metrics["valid.recall@20"] ?? 0) - 0.3) < 1e-12)
      #expect(run.progress.best?.value == run.evaluations[0].metrics["valid.recall@20"])
      #expect(run.progress.isBestSaved && run.progress.nonImprovingCount == 0)
    }
  }

  @Test("one that is no longer the best restores the best before it, and counts against patience")
  func bestNoMore() throws {
    var cluster = try cluster()
    let second = cluster.epoch(cluster.form(), recall: 0.4)
    evaluate(&cluster, second, recall: 0.5)
    #expect(cluster.records.progress.best?.epoch == 1)
    let again = loseServer(of: &cluster, rollingBackTo: restored)
    #expect(again.tasks.map(\.task.body.epoch) == [1, 1])
    cluster.finishTasks(again, sums: ranked(0))
    cluster.finishTasks(cluster.actions) { _ in [:] }
    let next = cluster.finishTasks(cluster.actions, sums: ranked(0.3))
    #expect(next.tasks.map(\.task.body.epoch) == [2, 2], "nothing is saved")
    let progress = cluster.records.progress
    #expect(progress.best?.epoch == 0 && progress.isBestSaved)
    #expect(progress.nonImprovingCount == 1)
    #expect(cluster.records.evaluations.count == 2)
  }

  @Test("a restarted coordinator evaluates an unsaved best epoch again, and no saved one")
  func restarted() throws {
    for isSaved in [false, true] {
      var cluster = try cluster()
      evaluate(&cluster, cluster.form(), recall: 0.5)
      if isSaved { cluster.handle(.bestSaved) }
      try cluster.restartCoordinator()
      for (rank, node) in cluster.serverIDs.enumerated() {
        let holding = HeldState(generation: 1, rank: UInt32(rank), version: 8)
        cluster.receive(ScriptedCluster.hello(.server, node, holding: holding), from: node)
      }
      cluster.ready(cluster.serverIDs)
      let start = cluster.addWorker(200)
      guard !isSaved else {
        #expect(start.tasks.map(\.task.body.epoch) == [1])
        continue
      }
      #expect(cluster.finishTasks(start) { _ in [:] }.tasks.count == 1)
      #expect(
        cluster.actions.tasks.first?.task.body == .rank(version: 8, epoch: 0, blocks: [0, 1, 2]))
      #expect(cluster.finishTasks(cluster.actions, sums: ranked(0.5)).last?.isSaveBest == true)
      #expect(cluster.handle(.bestSaved).tasks.map(\.task.body.epoch) == [1])
      #expect(cluster.records.evaluations.count == 1)
    }
  }

  @Test("a retried saving in the same generation causes no evaluation")
  func sameGeneration() throws {
    var cluster = try cluster()
    evaluate(&cluster, cluster.form(), recall: 0.5)
    cluster.handle(.bestSaveFailed("slow", isTransient: true))
    cluster.now += 1
    for node in cluster.workerIDs { cluster.receive(ScriptedCluster.heartbeat(), from: node) }
    cluster.serversReach(8)
    #expect(cluster.handle(.tick).last?.isSaveBest == true)
  }
}
