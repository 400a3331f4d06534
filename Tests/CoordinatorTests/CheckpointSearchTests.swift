import Coordinator
import Protocol
import Testing

@Suite struct CheckpointSearchTests {
  private let stale = "Cannot read the folder 'checkpoints': Stale file handle."
  private let restored = RestoredCheckpoint(manifest: "v8-g1/manifest.json", version: 8)

  /// A cluster in the second epoch, with a checkpoint of its first version, that has lost a server.
  private func searching(hasCheckpoint: Bool = true) throws -> ScriptedCluster {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.epoch(cluster.form(), recall: 0.1)
    if hasCheckpoint { cluster.checkpoint(8) }
    #expect(cluster.handle(.nodeGone(101)).last == .findCheckpoint)
    return cluster
  }

  /// A second passes, in which the remaining nodes send heartbeats.
  private func wait(_ cluster: inout ScriptedCluster) -> [CoordinatorAction] {
    cluster.now += 1
    for node in [100, 200, 201] as [NodeID] {
      cluster.receive(ScriptedCluster.heartbeat(generation: 1), from: node)
    }
    return cluster.handle(.tick)
  }

  @Test("a disk that cannot be read for a moment costs no checkpoint: the search is repeated")
  func readAgain() throws {
    var cluster = try searching()
    #expect(
      cluster.handle(.checkpointSearchFailed(stale))
        == [.report(.checkpointSearchFailed(message: stale))])
    #expect(cluster.handle(.tick).isEmpty, "not at once")
    // A node that joins during the search waits.
    let early = cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
    #expect(early.refusal?.code == .notReady)
    for _ in 0..<3 {
      #expect(wait(&cluster) == [.findCheckpoint])
      #expect(cluster.handle(.tick).isEmpty, "one search at a time")
      #expect(cluster.handle(.checkpointSearchFailed(stale)).isEmpty, "already reported")
    }
    #expect(wait(&cluster) == [.findCheckpoint])
    let found = cluster.handle(.checkpointFound(restored))
    #expect(found.reports == [.recovering(generation: 2, version: 8)])
    #expect(cluster.handle(.checkpointSearchFailed(stale)).isEmpty, "the search is over")
    #expect(cluster.ready([100, 102, 200, 201]).tasks.count == 2)
    #expect(wait(&cluster).contains(.findCheckpoint) == false)
  }

  @Test("a disk that stays unreadable ends the run in time, as a transient failure with the reason")
  func neverRead() throws {
    var cluster = try searching()
    let start = cluster.now
    cluster.handle(.checkpointSearchFailed(stale))
    while !cluster.state.isEnded, cluster.now < start + 100 {
      if wait(&cluster).contains(.findCheckpoint) {
        cluster.handle(.checkpointSearchFailed(stale))
      }
    }
    #expect(cluster.now - start == 61)
    let failure = try #require(cluster.actions.failure)
    #expect(failure.kind == .checkpointsUnreadable)
    #expect(failure.isTransient)
    #expect(failure.message.contains(stale) && failure.message.contains("60.0 s"))
    #expect(cluster.records.progress.status == .failed)
    // Started again, the run resumes from there.
    try cluster.restartCoordinator()
    for node in [110, 111] as [NodeID] {
      cluster.receive(ScriptedCluster.hello(.server, node), from: node)
    }
    #expect(
      cluster.handle(.checkpointFound(restored)).reports
        == [.recovering(generation: 3, version: 8)])
  }

  @Test("a search that does not end ends the run in time")
  func hangs() throws {
    var cluster = try searching()
    for _ in 0..<61 where !cluster.state.isEnded { _ = wait(&cluster) }
    #expect(cluster.actions.failure?.kind == .checkpointsUnreadable)
    #expect(cluster.actions.failure?.message.contains("'checkpoints' has not ended") == true)
  }

  @Test("when none exists although one was committed, the run ends and the message names both")
  func missing() throws {
    for isRestarted in [false, true] {
      var cluster = try searching()
      if isRestarted {
        try cluster.restartCoordinator()
        #expect(
          cluster.receive(ScriptedCluster.hello(.server, 100), from: 100).contains(.findCheckpoint))
      }
      let start = cluster.now
      let warning = cluster.handle(.noCheckpoint).reports
      guard case .checkpointSearchFailed(let message)? = warning.first else {
        Issue.record("\(warning)")
        return
      }
      #expect(message.contains("'checkpoints'") && message.contains("'v8-g1/manifest.json'"))
      while !cluster.state.isEnded, cluster.now < start + 100 {
        if wait(&cluster).contains(.findCheckpoint) { cluster.handle(.noCheckpoint) }
      }
      let failure = try #require(cluster.actions.failure)
      #expect(failure.kind == .checkpointsMissing)
      #expect(!failure.isTransient)
      #expect(failure.message.contains("'checkpoints'"))
      #expect(failure.message.contains("'v8-g1/manifest.json' was committed"))
      #expect(failure.message.contains("checkpoint_folder"))
    }
  }

  @Test("a checkpoint that reappears in time is used for the rollback")
  func backInTime() throws {
    var cluster = try searching()
    cluster.handle(.noCheckpoint)
    #expect(wait(&cluster) == [.findCheckpoint])
    #expect(
      cluster.handle(.checkpointFound(restored)).reports
        == [.recovering(generation: 2, version: 8)])
  }

  @Test("a run that never had a checkpoint, or only damaged ones, starts over")
  func anew() throws {
    var never = try searching(hasCheckpoint: false)
    #expect(
      never.handle(.noCheckpoint).reports == [.recovering(generation: 2, version: 0)])
    var damaged = try searching()
    #expect(
      damaged.handle(.checkpointFound(nil)).reports == [.recovering(generation: 2, version: 0)])
  }

  @Test("a stop while the search is repeated takes effect at once")
  func stopped() throws {
    var cluster = try searching()
    cluster.handle(.checkpointSearchFailed(stale))
    let end = cluster.handle(.stopRequested(reason: "Ctrl-C"))
    #expect(end.outcome?.ending == .interrupted(reason: "Ctrl-C"))
  }
}
