import Coordinator
import Protocol
import Testing

@Suite struct ServerLossTests {
  private func sums(_ unit: UInt32) -> [String: Double] {
    ["loss.total": 1, "valid.recall@20": 0.1, "valid.users": 1]
  }

  private let restored = RestoredCheckpoint(manifest: "v8-g1/manifest.json", version: 8)

  /// A cluster in the second epoch, with a checkpoint of its first version.
  private func inSecondEpoch() throws -> ScriptedCluster {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let second = cluster.epoch(cluster.form(), recall: 0.1)
    cluster.checkpoint(8)
    cluster.serversReach(11)
    #expect(second.tasks.count == 2)
    return cluster
  }

  @Test("the tables are rolled back to the newest checkpoint; the new generation is recorded first")
  func transcript() throws {
    var cluster = try inSecondEpoch()
    let loss = cluster.handle(.nodeGone(101))
    #expect(
      loss.reports == [.nodeLost(role: .server, rank: 1, host: "n1", how: "its process is gone")])
    #expect(loss.records.map(\.change) == [.generationRaised])
    #expect(loss.records.first?.progress.generation == 2)
    #expect(loss.records.first?.progress.status == .running)
    #expect(loss.last == .findCheckpoint)
    #expect(loss.sent.isEmpty, "no node learns of the generation before it is recorded")

    // Its replacement may come before the checkpoint is found.
    let early = cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
    #expect(early.refusal?.code == .notReady)
    let found = cluster.handle(.checkpointFound(restored))
    #expect(found.reports == [.recovering(generation: 2, version: 8)])
    #expect(found.sent.map(\.node) == [100, 102, 200, 201])
    for (_, message) in found.sent {
      guard case .welcome(let welcome) = message else {
        Issue.record("unexpected \(message)")
        return
      }
      #expect(welcome.generation == 2)
      #expect(welcome.restored == restored)
      #expect(welcome.checkpoints == cluster.state.plan.checkpoints)
    }
    cluster.ready([100])
    let known = cluster.ready([102])
    let servers = CoordinatorMessage.servers(
      generation: 2, endpoints: ["tcp://host:100", "tcp://host:102"])
    #expect(known.sent(to: 200) == [servers])
    #expect(cluster.ready([200]).isEmpty, "the other worker is waited for")
    let start = cluster.ready([201])
    #expect(
      start.reports == [
        .resumed(epoch: 1, version: 8, from: .checkpoint(restored)),
        .epochStarted(epoch: 1, workers: 2),
      ])
    #expect(
      start.tasks.map(\.task.body) == [
        .train(epoch: 1, firstVersion: 8, startVersion: 8, shards: [0, 2]),
        .train(epoch: 1, firstVersion: 8, startVersion: 8, shards: [1]),
      ])
    #expect(start.tasks.allSatisfy { $0.task.generation == 2 })
  }

  @Test("in whatever phase a server is lost, the run ends with the records of the undisturbed one")
  func everyPhase() throws {
    // How many events of the second epoch come before the loss; the calm run has as many as it has.
    var undisturbed: StoredRun?
    for loss in 0..<12 {
      var cluster = try ScriptedCluster(ScriptedCluster.plan(epochs: 2))
      cluster.epoch(cluster.form(), recall: 0.1)
      cluster.checkpoint(8)
      var events = 0
      var hasLost = false
      var mailbox = cluster.currentTasks
      while !cluster.state.isEnded, events < 100 {
        if events == loss, undisturbed != nil, !hasLost {
          hasLost = true
          cluster.handle(.nodeGone(100))
          #expect(cluster.actions.contains(.cancelSave) == mailbox.isEmpty, "only while saving")
          cluster.handle(.checkpointFound(restored))
          cluster.receive(ScriptedCluster.hello(.server, 100), from: 100)
          mailbox = cluster.ready([100, 101, 200, 201]).tasks
        }
        events += 1
        guard !mailbox.isEmpty else {
          mailbox = cluster.handle(.bestSaved).tasks
          continue
        }
        let (node, task) = mailbox.removeFirst()
        let reports = task.body.units.map { UnitReport(unit: $0, sums: self.sums($0 + 1)) }
        let done = NodeMessage.taskDone(
          id: task.id,
          reports: reports.map {
            UnitReport(unit: $0.unit, sums: $0.sums.merging(["valid.recall@20": 0.7]) { $1 })
          })
        mailbox += cluster.receive(done, from: node).tasks
      }
      #expect(cluster.state.isEnded, "loss before event \(loss)")
      guard let calm = undisturbed else {
        undisturbed = cluster.records
        #expect(events == 7, "two tasks of each of three kinds, and the saving")
        continue
      }
      #expect(cluster.records.epochs == calm.epochs)
      #expect(cluster.records.evaluations == calm.evaluations)
      #expect(cluster.records.progress.best == calm.progress.best)
      #expect(cluster.records.progress.isBestSaved)
      #expect(cluster.records.progress.status == .completed)
    }
  }

  @Test("several servers that are silent together raise the generation once")
  func together() throws {
    var cluster = try inSecondEpoch()
    for second in 1...10 {
      cluster.now += 1
      for node in [200, 201] as [NodeID] {
        cluster.receive(ScriptedCluster.heartbeat(), from: node)
      }
      cluster.handle(.tick)
      if second == 10 { cluster.now += 0.5 }
    }
    let loss = cluster.handle(.tick)
    #expect(loss.reports.count == 2)
    #expect(loss.records.map(\.change) == [.generationRaised])
    #expect(cluster.state.generation == 2)
  }

  @Test("a server that is lost again while the cluster forms costs another generation")
  func lostWhileForming() throws {
    var cluster = try inSecondEpoch()
    cluster.handle(.nodeGone(101))
    // No server knows of this generation yet.
    #expect(cluster.handle(.nodeGone(100)).records.isEmpty)
    cluster.handle(.checkpointFound(restored))
    for node in [102, 103] as [NodeID] {
      cluster.receive(ScriptedCluster.hello(.server, node), from: node)
    }
    cluster.ready([102])
    #expect(cluster.state.generation == 2)
    let again = cluster.handle(.nodeGone(102))
    #expect(again.records.first?.progress.generation == 3)
    #expect(again.last == .findCheckpoint)
    cluster.handle(.checkpointFound(restored))
    cluster.receive(ScriptedCluster.hello(.server, 104), from: 104)
    // Readiness for the previous generation does not count.
    #expect(cluster.receive(.ready(generation: 2), from: 103).isEmpty)
    #expect(cluster.ready([103, 104, 200, 201]).tasks.count == 2)
  }

  @Test("without a checkpoint the run starts over; recorded epochs are not recorded again")
  func fromTheBeginning() throws {
    for plan in [ScriptedCluster.plan(), ScriptedCluster.plan(checkpoints: nil)] {
      var cluster = try ScriptedCluster(plan)
      cluster.epoch(cluster.form(), recall: 0.1)
      let facts = cluster.records
      let loss = cluster.handle(.nodeGone(100))
      #expect((loss.last == .findCheckpoint) == (plan.checkpoints != nil))
      if plan.checkpoints != nil { cluster.handle(.checkpointFound(nil)) }
      cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
      let start = cluster.ready([101, 102, 200, 201])
      #expect(start.reports.contains(.resumed(epoch: 0, version: 0, from: .initialValues)))
      let second = cluster.finishTasks(start, sums: sums)
      #expect(second.records.isEmpty)
      #expect(
        second.tasks.map(\.task.body.epoch) == [1, 1], "it is neither recorded nor evaluated again")
      #expect(cluster.records.epochs == facts.epochs)
      #expect(cluster.records.evaluations == facts.evaluations)
      #expect(cluster.records.progress.nonImprovingCount == 0)
    }
  }

  @Test("a best model that was being written is written after the rollback")
  func bestAfterRecovery() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.epochUntilSaving()
    let loss = cluster.handle(.nodeGone(100))
    #expect(loss.contains(.cancelSave))
    #expect(cluster.handle(.bestSaved).isEmpty)
    cluster.handle(.checkpointFound(restored))
    cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
    // The checkpoint does not have the final vectors, which are computed after it.
    let start = cluster.ready([101, 102, 200, 201])
    #expect(start.tasks.first?.task.body == .materialize(version: 8, epoch: 0, blocks: [0, 2]))
    cluster.finishTasks(start) { _ in [:] }
    #expect(
      cluster.actions.last
        == .saveBest(
          epoch: 0, version: 8, generation: 2, endpoints: ["tcp://host:102", "tcp://host:101"]))
    #expect(cluster.handle(.bestSaved).tasks.map(\.task.body.epoch) == [1, 1])
  }

  @Test("saving that fails because a server is silent is retried, up to a limit")
  func savingAgain() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let request = cluster.epochUntilSaving().last
    let start = cluster.now
    while !cluster.state.isEnded, cluster.now < start + 100 {
      #expect(
        cluster.handle(.bestSaveFailed("server 1 is silent", isTransient: true)).isEmpty)
      #expect(cluster.handle(.tick).isEmpty)
      cluster.now += 1.01
      cluster.serversReach(8)
      for node in [200, 201] as [NodeID] {
        cluster.receive(ScriptedCluster.heartbeat(), from: node)
      }
      cluster.handle(.tick)
      #expect(cluster.state.isEnded || cluster.actions.besidesWaiting.last == request)
    }
    // Another start of the run may reach it.
    #expect(cluster.actions.failure?.kind == .peerLost)
    #expect(cluster.actions.failure?.message.contains("server 1 is silent") == true)
    #expect(cluster.now - start > 60 && cluster.now - start < 70)
  }

  @Test("saving that progresses and then fails is retried up to the same limit")
  func savingAgainAndAgain() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.epochUntilSaving()
    let start = cluster.now
    while !cluster.state.isEnded, cluster.now < start + 100 {
      cluster.handle(.bestSaveMoved)
      cluster.handle(.bestSaveFailed("server 1 is silent", isTransient: true))
      if cluster.state.isEnded { break }
      cluster.now += 1.01
      cluster.serversReach(8)
      for node in [200, 201] as [NodeID] {
        cluster.receive(ScriptedCluster.heartbeat(), from: node)
      }
      cluster.handle(.tick)
    }
    #expect(cluster.now - start > 60 && cluster.now - start < 70)
    #expect(cluster.actions.failure?.kind == .peerLost)
  }

  @Test("a server that was paused and continues is its own replacement, with the restored tables")
  func continues() throws {
    var cluster = try inSecondEpoch()
    cluster.handle(.nodeGone(101))
    cluster.handle(.checkpointFound(restored))
    #expect(
      cluster.receive(ScriptedCluster.heartbeat(version: 11), from: 101).refusal?.code
        == .helloNeeded)
    let holding = HeldState(generation: 1, rank: 1, version: 11)
    let welcome = cluster.receive(ScriptedCluster.hello(.server, 101, holding: holding), from: 101)
      .welcome
    #expect(welcome?.rank == 1)
    #expect(welcome?.generation == 2)
    #expect(welcome?.restored == restored)
    #expect(cluster.ready([100, 101, 200, 201]).tasks.count == 2)
  }

  @Test("a server that was paused and is replaced has to wait for another place")
  func continuesReplaced() throws {
    var cluster = try inSecondEpoch()
    cluster.handle(.nodeGone(101))
    cluster.handle(.checkpointFound(restored))
    cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
    let holding = HeldState(generation: 1, rank: 1, version: 11)
    let hello = ScriptedCluster.hello(.server, 101, holding: holding)
    #expect(cluster.receive(hello, from: 101).refusal?.code == .clusterFull)
  }

  @Test("ends and failures of tasks of the previous generation are ignored")
  func staleAnswers() throws {
    var cluster = try inSecondEpoch()
    let old = cluster.currentTasks
    cluster.handle(.nodeGone(101))
    for isFormed in [false, true] {
      if isFormed {
        cluster.handle(.checkpointFound(restored))
        cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
        cluster.ready([100, 102, 200, 201])
      }
      let failure = TaskFailure(.failed, "the server refused")
      #expect(cluster.receive(.taskFailed(id: old[0].task.id, failure), from: 200).isEmpty)
      #expect(cluster.receive(.taskDone(id: old[1].task.id, reports: []), from: 201).isEmpty)
    }
    #expect(!cluster.state.isEnded)
  }

  @Test("the others wait only a while for a worker that is not ready")
  func slowWorker() throws {
    var cluster = try inSecondEpoch()
    cluster.handle(.nodeGone(101))
    cluster.handle(.checkpointFound(restored))
    cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
    cluster.ready([100, 102, 200])
    let start = cluster.now
    while cluster.now < start + 10 {
      #expect(cluster.handle(.tick).tasks.isEmpty)
      cluster.now += 1
      for node in [100, 102, 200, 201] as [NodeID] {
        cluster.receive(ScriptedCluster.heartbeat(generation: 2), from: node)
      }
    }
    cluster.now += 0.5
    #expect(cluster.handle(.tick).tasks.map(\.node) == [200])
    #expect(cluster.ready([201]).tasks.map(\.node) == [200, 201])
  }

  @Test("a lost server without a replacement fails the run in time, and is named")
  func noReplacement() throws {
    var cluster = try inSecondEpoch()
    cluster.handle(.nodeGone(101))
    cluster.handle(.checkpointFound(restored))
    for _ in 0..<61 {
      cluster.now += 1
      for node in [100, 200, 201] as [NodeID] {
        cluster.receive(ScriptedCluster.heartbeat(generation: 2), from: node)
      }
    }
    let failure = cluster.handle(.tick).failure
    #expect(failure?.isTransient == true)
    #expect(failure?.message.contains("1 server has not joined") == true)
  }

  @Test("a checkpoint that contradicts the records ends the run, with both in the message")
  func impossibleCheckpoint() throws {
    var cluster = try inSecondEpoch()
    cluster.handle(.nodeGone(101))
    let later = RestoredCheckpoint(manifest: "v17-g1/manifest.json", version: 17)
    let failure = cluster.handle(.checkpointFound(later)).failure
    #expect(failure?.message.contains("v17-g1/manifest.json") == true)
    #expect(failure?.message.contains("versions up to 16") == true)
  }

  @Test("lost messages of the coordinator are repeated in the new generation")
  func lostWelcome() throws {
    var cluster = try inSecondEpoch()
    cluster.handle(.nodeGone(101))
    #expect(
      cluster.receive(ScriptedCluster.heartbeat(), from: 200).sent.count == 1, "only the answer")
    cluster.handle(.checkpointFound(restored))
    #expect(
      cluster.receive(ScriptedCluster.heartbeat(generation: 1), from: 200).welcome?.generation == 2)
    #expect(
      cluster.receive(ScriptedCluster.heartbeat(generation: 1), from: 100).welcome?.generation == 2)
  }
}
