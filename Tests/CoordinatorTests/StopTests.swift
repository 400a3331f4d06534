import Coordinator
import Protocol
import Testing

@Suite struct StopTests {
  private func sums(_ unit: UInt32) -> [String: Double] {
    ["loss.total": 1, "valid.recall@20": 0.1, "valid.users": 1]
  }

  private func stopping() throws -> ScriptedCluster {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.form()
    let actions = cluster.handle(.stopRequested(reason: "Ctrl-C"))
    #expect(
      actions == [
        .report(.stopRequested(reason: "Ctrl-C")), .send(.hold(generation: 1), to: 100),
        .send(.hold(generation: 1), to: 101),
      ])
    return cluster
  }

  @Test("a stop holds the servers, keeps the highest of their versions, and ends the run")
  func transcript() throws {
    var cluster = try stopping()
    #expect(cluster.receive(.held(generation: 1, version: 5), from: 100).isEmpty)
    let target = cluster.receive(.held(generation: 1, version: 6), from: 101)
    #expect(
      target == [
        .send(.checkpoint(generation: 1, version: 6), to: 100),
        .send(.checkpoint(generation: 1, version: 6), to: 101),
      ])
    #expect(!cluster.state.isEnded)
    let end = cluster.checkpoint(6)
    #expect(end.outcome?.ending == .interrupted(reason: "Ctrl-C"))
    #expect(cluster.records.checkpoints.map(\.version) == [6])
    #expect(cluster.records.progress.status == .interrupted)
    // The checkpoint is recorded before any node gets the end.
    let recorded = try #require(
      end.firstIndex { if case .record = $0 { true } else { false } })
    let sent = try #require(end.firstIndex { $0.isSend })
    #expect(recorded < sent)
  }

  @Test("a second request ends the run at once")
  func twice() throws {
    var cluster = try stopping()
    let end = cluster.handle(.stopRequested(reason: "Ctrl-C again"))
    #expect(end.outcome?.ending == .interrupted(reason: "Ctrl-C again"))
  }

  @Test("lost messages are repeated: the hold, then the version to write")
  func repeated() throws {
    var cluster = try stopping()
    let hold = CoordinatorMessage.hold(generation: 1)
    #expect(cluster.receive(ScriptedCluster.heartbeat(), from: 100).sent(to: 100).contains(hold))
    cluster.receive(.held(generation: 1, version: 5), from: 100)
    #expect(!cluster.receive(ScriptedCluster.heartbeat(), from: 100).sent(to: 100).contains(hold))
    cluster.receive(.held(generation: 1, version: 5), from: 101)
    let write = CoordinatorMessage.checkpoint(generation: 1, version: 5)
    #expect(
      cluster.receive(ScriptedCluster.heartbeat(version: 5), from: 100).sent(to: 100).contains(
        write))
    #expect(cluster.receive(.held(generation: 1, version: 5), from: 101).sent(to: 101) == [write])
  }

  @Test("a last checkpoint that fails, or takes too long, does not keep the run from ending")
  func withoutCheckpoint() throws {
    var failing = try stopping()
    for node in [100, 101] as [NodeID] {
      failing.receive(.held(generation: 1, version: 5), from: node)
    }
    let end = failing.receive(
      .checkpointFailed(generation: 1, version: 5, message: "no space left"), from: 101)
    #expect(end.outcome?.ending == .interrupted(reason: "Ctrl-C"))

    var slow = try stopping()
    for second in 1...30 {
      slow.now = Double(second)
      slow.serversReach(3)
      for node in [200, 201] as [NodeID] { slow.receive(ScriptedCluster.heartbeat(), from: node) }
      #expect(slow.handle(.tick).isEmpty)
    }
    slow.now = 30.5
    let late = slow.handle(.tick)
    #expect(late.outcome?.ending == .interrupted(reason: "Ctrl-C"))
    #expect(
      late.reports.first
        == .checkpointFailed(message: "no last checkpoint was complete within 30.0 s"))
  }

  @Test("version 0, and a version that is committed already, need no last checkpoint")
  func nothingToKeep() throws {
    for version in [0, 8] as [UInt64] {
      var cluster = try ScriptedCluster(ScriptedCluster.plan())
      cluster.form()
      if version > 0 { cluster.checkpoint(version) }
      cluster.handle(.stopRequested(reason: "Ctrl-C"))
      cluster.receive(.held(generation: 1, version: version), from: 100)
      let end = cluster.receive(.held(generation: 1, version: version), from: 101)
      #expect(end.outcome?.ending == .interrupted(reason: "Ctrl-C"))
    }
  }

  @Test("an epoch that ends during a stop is recorded, and nothing new is begun")
  func epochEnds() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let start = cluster.form()
    cluster.handle(.stopRequested(reason: "Ctrl-C"))
    let end = cluster.finishTasks(start, sums: sums)
    #expect(end.records.count == 1)
    #expect(end.tasks.isEmpty)
    #expect(!cluster.state.isEnded)
    for node in [100, 101] as [NodeID] {
      cluster.receive(.held(generation: 1, version: 8), from: node)
    }
    #expect(cluster.checkpoint(8).outcome?.epochsFinished == 1)
  }

  @Test("a worker that is lost during a stop does not keep the servers from the last version")
  func workerLost() throws {
    var cluster = try stopping()
    cluster.receive(.held(generation: 1, version: 5), from: 100)
    cluster.receive(.held(generation: 1, version: 6), from: 101)
    #expect(cluster.handle(.nodeGone(201)).tasks.map(\.task.body.units) == [[0, 1, 2]])
    #expect(cluster.checkpoint(6).outcome != nil)
  }

  @Test("a server that is lost during a stop ends the run: there is nothing left to keep")
  func serverLost() throws {
    var cluster = try stopping()
    let end = cluster.handle(.nodeGone(101))
    #expect(end.outcome?.ending == .interrupted(reason: "Ctrl-C"))
    #expect(end.records.map(\.change).count == 1)
  }

  @Test("a stop while the best model is written waits for both, in either order")
  func whileSaving() throws {
    for isSavedFirst in [true, false] {
      var cluster = try ScriptedCluster(ScriptedCluster.plan())
      cluster.epochUntilSaving()
      cluster.handle(.stopRequested(reason: "SIGTERM"))
      for node in [100, 101] as [NodeID] {
        cluster.receive(.held(generation: 1, version: 8), from: node)
      }
      if isSavedFirst {
        #expect(cluster.handle(.bestSaved).tasks.isEmpty)
        #expect(!cluster.state.isEnded)
        cluster.checkpoint(8)
      } else {
        cluster.checkpoint(8)
        #expect(!cluster.state.isEnded)
        cluster.handle(.bestSaved)
      }
      #expect(cluster.actions.outcome?.ending == .interrupted(reason: "SIGTERM"))
      #expect(cluster.actions.outcome?.best?.epoch == 0)
    }
  }

  @Test("during a rollback a stop takes effect at once, and the run can be resumed")
  func whileForming() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.epoch(cluster.form(), recall: 0.1)
    cluster.checkpoint(8)
    cluster.handle(.nodeGone(100))
    let end = cluster.handle(.stopRequested(reason: "Ctrl-C"))
    #expect(end.outcome?.ending == .interrupted(reason: "Ctrl-C"))
    try cluster.restartCoordinator()
    for node in [110, 111] as [NodeID] {
      cluster.receive(ScriptedCluster.hello(.server, node), from: node)
    }
    let restored = try #require(cluster.records.checkpoints.last?.restored)
    cluster.handle(.checkpointFound(restored))
    #expect(cluster.state.generation == 3)
    cluster.ready([110, 111])
    #expect(
      cluster.addWorker(200).tasks.map(\.task.body)
        == [.train(epoch: 1, firstVersion: 8, startVersion: 8, shards: [0, 1, 2])])
  }
}
