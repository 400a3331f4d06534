import Coordinator
import Protocol
import Testing

@Suite struct SavingLimitTests {
  /// A cluster whose best model, of the first epoch, is being saved.
  private func saving(checkpoints: Bool = true) throws -> ScriptedCluster {
    var cluster = try ScriptedCluster(
      checkpoints ? ScriptedCluster.plan() : ScriptedCluster.plan(checkpoints: nil))
    #expect(cluster.epochUntilSaving().last?.isSaveBest == true)
    return cluster
  }

  /// A time passes in which all nodes send heartbeats.
  private func wait(_ cluster: inout ScriptedCluster, _ seconds: Double = 1) -> [CoordinatorAction]
  {
    cluster.now += seconds
    cluster.serversReach(8)
    for node in cluster.workerIDs { cluster.receive(ScriptedCluster.heartbeat(), from: node) }
    return cluster.handle(.tick).besidesWaiting
  }

  @Test("a server that is alive and cannot be read from ends the run in time, with its address")
  func outOfReach() throws {
    var cluster = try saving()
    for _ in 1...60 { #expect(wait(&cluster).isEmpty) }
    let end = wait(&cluster)
    #expect(end.first == .cancelSave)
    let failure = try #require(end.failure)
    #expect(failure.kind == .peerLost && failure.isTransient)
    #expect(failure.message.contains("of epoch 0"))
    #expect(failure.message.contains("60.0 s"))
    #expect(failure.message.contains("tcp://host:100, tcp://host:101"))
    #expect(cluster.records.progress.isBestSaved == false)
  }

  @Test("saving a model that takes long continues while its rows arrive")
  func large() throws {
    var cluster = try saving()
    for second in 1...300 {
      #expect(wait(&cluster).isEmpty)
      if second % 50 == 0 { #expect(cluster.handle(.bestSaveMoved).isEmpty) }
    }
    let next = cluster.handle(.bestSaved)
    #expect(next.reports.first == .bestSaved(epoch: 0, seconds: 300))
    #expect(next.tasks.map(\.task.body.epoch) == [1, 1])
    #expect(cluster.handle(.bestSaveMoved).isEmpty)
    #expect(cluster.state.ignoredMessageCount == 1)
  }

  @Test("a stop ends the saving of a model that takes too long; it is saved on resuming")
  func stopped() throws {
    var cluster = try saving()
    cluster.handle(.stopRequested(reason: "Ctrl-C"))
    for node in cluster.serverIDs {
      cluster.receive(.held(generation: 1, version: 8), from: node)
    }
    cluster.checkpoint(8)
    for _ in 1...30 { #expect(wait(&cluster).isEmpty) }
    let end = wait(&cluster, 0.5)
    #expect(end.prefix(2) == [.cancelSave, .report(.bestNotSaved(epoch: 0))])
    #expect(end.outcome?.ending == .interrupted(reason: "Ctrl-C"))
    #expect(end.outcome?.best == nil)

    try cluster.restartCoordinator()
    cluster.receive(ScriptedCluster.hello(.server, 110), from: 110)
    let restored = try #require(cluster.records.checkpoints.last?.restored)
    cluster.handle(.checkpointFound(restored))
    cluster.receive(ScriptedCluster.hello(.server, 111), from: 111)
    cluster.receive(ScriptedCluster.hello(.worker, 210), from: 210)
    let start = cluster.ready([110, 111, 210])
    #expect(
      start.tasks.map(\.task.body) == [.materialize(version: 8, epoch: 0, blocks: [0, 1, 2])])
    #expect(cluster.finishTasks(start) { _ in [:] }.last?.isSaveBest == true)
  }

  @Test("at its limit a stop waits no longer for a last checkpoint and a best model that hang")
  func stoppedWithout() throws {
    var cluster = try saving()
    cluster.handle(.stopRequested(reason: "Ctrl-C"))
    for _ in 1...30 { #expect(wait(&cluster).isEmpty) }
    let end = wait(&cluster, 0.5)
    #expect(end.outcome?.ending == .interrupted(reason: "Ctrl-C"))
    #expect(end.contains(.cancelSave))
    #expect(
      end.reports.prefix(2) == [
        .checkpointFailed(message: "no last checkpoint was complete within 30.0 s"),
        .bestNotSaved(epoch: 0),
      ])

    var plain = try saving(checkpoints: false)
    #expect(plain.handle(.stopRequested(reason: "Ctrl-C")).isEmpty)
    for _ in 1...30 { #expect(wait(&plain).isEmpty) }
    #expect(wait(&plain, 0.5).outcome?.ending == .interrupted(reason: "Ctrl-C"))
  }
}
