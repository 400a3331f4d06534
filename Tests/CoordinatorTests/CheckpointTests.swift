import Coordinator
import Protocol
import Testing

@Suite struct CheckpointTests {
  private func training() throws -> ScriptedCluster {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.form()
    return cluster
  }

  @Test("a checkpoint is committed when every server has written its rows, and then recorded")
  func complete() throws {
    var cluster = try training()
    let first = cluster.receive(cluster.shard(6, rank: 1), from: 101)
    #expect(first == [.send(.checkpointAcknowledged(generation: 1, version: 6), to: 101)])
    cluster.now += 2.5
    let second = cluster.receive(cluster.shard(6, rank: 0), from: 100)
    let commit = try #require(second.commits.first)
    #expect(commit.generation == 1)
    #expect(commit.version == 6)
    #expect(commit.epoch == 0)
    #expect(commit.step == 3)
    #expect(commit.shards.map(\.rank) == [0, 1])
    #expect(cluster.records.checkpoints.isEmpty)
    let done = cluster.handle(.checkpointCommitted(commit.committed))
    #expect(done.records.map(\.change) == [.checkpointCommitted(commit.committed)])
    #expect(done.reports == [.checkpointCommitted(version: 6, seconds: 2.5)])
    #expect(cluster.records.checkpoints == [commit.committed])
    // Training has not been touched.
    #expect(done.sent.isEmpty)
  }

  @Test("a repeated message is acknowledged again and commits nothing")
  func duplicates() throws {
    var cluster = try training()
    cluster.receive(cluster.shard(6, rank: 1), from: 101)
    #expect(cluster.receive(cluster.shard(6, rank: 1), from: 101).commits.isEmpty)
    let commit = try #require(cluster.receive(cluster.shard(6, rank: 0), from: 100).commits.first)
    let during = cluster.receive(cluster.shard(6, rank: 1), from: 101)
    #expect(during == [.send(.checkpointAcknowledged(generation: 1, version: 6), to: 101)])
    cluster.handle(.checkpointCommitted(commit.committed))
    #expect(cluster.handle(.checkpointCommitted(commit.committed)).isEmpty)
    for rank in [0, 1] as [UInt32] {
      let late = cluster.receive(cluster.shard(6, rank: rank), from: 100 + NodeID(rank))
      #expect(late.map(\.isSend) == [true])
    }
    #expect(cluster.records.checkpoints.count == 1)
  }

  @Test("versions may come in any order; a complete one drops the older ones")
  func order() throws {
    var cluster = try training()
    cluster.receive(cluster.shard(3, rank: 0), from: 100)
    cluster.receive(cluster.shard(6, rank: 0), from: 100)
    #expect(cluster.receive(cluster.shard(6, rank: 1), from: 101).commits.map(\.version) == [6])
    #expect(cluster.receive(cluster.shard(3, rank: 1), from: 101).commits.isEmpty)
  }

  @Test("one manifest is written at a time, and then the newest that is complete")
  func oneAtATime() throws {
    var cluster = try training()
    var first: CheckpointCommit?
    for version in [2, 3, 4] as [UInt64] {
      cluster.receive(cluster.shard(version, rank: 0), from: 100)
      let commits = cluster.receive(cluster.shard(version, rank: 1), from: 101).commits
      #expect(commits.isEmpty == (version > 2))
      first = first ?? commits.first
    }
    let next = cluster.handle(.checkpointCommitted(try #require(first).committed))
    #expect(next.commits.map(\.version) == [4])
  }

  @Test("incomplete versions are bounded; a slow server's version is complete when it comes")
  func bounded() throws {
    var cluster = try training()
    for version in 2...7 as ClosedRange<UInt64> {
      cluster.receive(cluster.shard(version, rank: 0), from: 100)
    }
    #expect(cluster.receive(cluster.shard(2, rank: 1), from: 101).commits.map(\.version) == [2])
  }

  @Test("of too many versions those stay that slow servers write too")
  func powersOfTwo() throws {
    var cluster = try training()
    for version in 1...15 as ClosedRange<UInt64> {
      cluster.receive(cluster.shard(version, rank: 0), from: 100)
    }
    #expect(cluster.receive(cluster.shard(8, rank: 1), from: 101).commits.map(\.version) == [8])
  }

  @Test("a server that has written a later version will not write those before")
  func ascending() throws {
    var cluster = try training()
    for version in [2, 3] as [UInt64] {
      cluster.receive(cluster.shard(version, rank: 0), from: 100)
    }
    cluster.receive(cluster.shard(3, rank: 1), from: 101)
    // 3 is being committed, 2 was dropped.
    cluster.serversReach(4)
    #expect(cluster.handle(.tick).discarded.map(\.version) == [2])
  }

  @Test("rows of another rank, of no version of the run, or of workers are not taken")
  func foreign() throws {
    var cluster = try training()
    cluster.receive(cluster.shard(6, rank: 0), from: 100)
    cluster.receive(cluster.shard(6, rank: 1), from: 100)
    cluster.receive(cluster.shard(6, rank: 1), from: 200)
    cluster.receive(cluster.shard(25, rank: 1), from: 101)
    cluster.receive(cluster.shard(0, rank: 1), from: 101)
    #expect(cluster.state.ignoredMessageCount == 4)
    #expect(cluster.receive(cluster.shard(6, rank: 1), from: 101).commits.count == 1)
  }

  @Test("rows of the previous generation are acknowledged and dropped; a commit under way counts")
  func generations() throws {
    var cluster = try training()
    cluster.receive(cluster.shard(4, rank: 0), from: 100)
    let commit = try #require(cluster.receive(cluster.shard(4, rank: 1), from: 101).commits.first)
    cluster.receive(cluster.shard(6, rank: 1), from: 101)
    cluster.handle(.nodeGone(100))
    let done = cluster.handle(.checkpointCommitted(commit.committed))
    #expect(done.records.map(\.change) == [.checkpointCommitted(commit.committed)])
    cluster.handle(.checkpointFound(commit.committed.restored))
    cluster.receive(ScriptedCluster.hello(.server, 100), from: 100)
    cluster.ready([100, 101, 200, 201])
    let old = cluster.receive(cluster.shard(6, rank: 1, generation: 1), from: 101)
    #expect(old == [.send(.checkpointAcknowledged(generation: 1, version: 6), to: 101)])
    #expect(cluster.receive(cluster.shard(6, rank: 0), from: 100).commits.isEmpty)
    #expect(cluster.receive(cluster.shard(6, rank: 1), from: 101).commits.map(\.generation) == [2])
  }

  @Test("a checkpoint that cannot be written is reported, and training continues")
  func failures() throws {
    var cluster = try training()
    cluster.receive(cluster.shard(6, rank: 0), from: 100)
    let failure = cluster.receive(
      .checkpointFailed(generation: 1, version: 6, message: "no space left"), from: 101)
    #expect(failure.count == 1)
    guard case .checkpointFailed(let message)? = failure.reports.first else {
      Issue.record("not reported")
      return
    }
    #expect(message.contains("server 1 (host n1, process 101)"))
    #expect(message.contains("version 6"))
    #expect(message.contains("no space left"))

    cluster.receive(cluster.shard(7, rank: 0), from: 100)
    cluster.receive(cluster.shard(7, rank: 1), from: 101)
    let uncommitted = cluster.handle(.checkpointCommitFailed(version: 7, message: "read-only"))
    #expect(uncommitted == [.report(.checkpointFailed(message: "read-only"))])
    // The next one is still tried.
    cluster.receive(cluster.shard(8, rank: 0), from: 100)
    #expect(cluster.receive(cluster.shard(8, rank: 1), from: 101).commits.count == 1)
  }

  // MARK: Files of no use

  @Test("files that no checkpoint is made of are deleted when all servers are beyond them")
  func discarded() throws {
    var cluster = try training()
    cluster.serversReach(6)
    cluster.receive(cluster.shard(6, rank: 0), from: 100)
    cluster.receive(.checkpointFailed(generation: 1, version: 6, message: "full"), from: 101)
    // It may be asked for, should the run be stopped here.
    #expect(cluster.handle(.tick).discarded.isEmpty)
    cluster.serversReach(7)
    let actions = cluster.handle(.tick)
    #expect(actions == [.discardCheckpointFiles(actions.discarded)])
    #expect(actions.discarded.map(\.version) == [6] && actions.discarded.map(\.rank) == [0])
    #expect(cluster.handle(.tick).isEmpty)
    // Repeated by a server that did not get the answer: the file no longer exists.
    cluster.receive(cluster.shard(6, rank: 0), from: 100)
    #expect(cluster.receive(cluster.shard(6, rank: 1), from: 101).commits.isEmpty)
  }

  @Test("files of a failed commit are deleted, those of a commit under way are not")
  func discardedCommit() throws {
    var cluster = try training()
    for node in [100, 101] as [NodeID] {
      cluster.receive(cluster.shard(6, rank: UInt32(node - 100)), from: node)
    }
    cluster.serversReach(8)
    #expect(cluster.handle(.tick).discarded.isEmpty)
    cluster.handle(.checkpointCommitFailed(version: 6, message: "read-only"))
    #expect(cluster.handle(.tick).discarded.map(\.rank) == [0, 1])
  }

  @Test("files that were collected in an older generation are deleted")
  func discardedGeneration() throws {
    var cluster = try training()
    cluster.receive(cluster.shard(6, rank: 1), from: 101)
    cluster.handle(.nodeGone(100))
    #expect(cluster.handle(.tick).discarded.map(\.version) == [6])
  }

  @Test("the version that a run stops at is collected, however many are on their way")
  func discardedTarget() throws {
    var cluster = try training()
    for version in [2, 4, 6, 8, 11] as [UInt64] {
      cluster.receive(cluster.shard(version, rank: 0), from: 100)
    }
    cluster.handle(.stopRequested(reason: "Ctrl-C"))
    for node in [100, 101] as [NodeID] {
      cluster.receive(.held(generation: 1, version: 11), from: node)
    }
    #expect(cluster.handle(.tick).discarded.isEmpty)
    #expect(cluster.receive(cluster.shard(11, rank: 1), from: 101).commits.isEmpty)
    // Asked again, it repeats that it has written it.
    let actions = cluster.receive(cluster.shard(11, rank: 0), from: 100)
    #expect(actions.commits.map(\.version) == [11])
  }

  // MARK: Silence

  /// Servers write versions for so many seconds, one per second, that never come together.
  private func warnings(
    of cluster: inout ScriptedCluster, from first: UInt64 = 1, to last: UInt64
  ) -> [RunEvent] {
    var reports: [RunEvent] = []
    for version in first...last {
      cluster.now += 1
      cluster.serversReach(version)
      let rank = UInt32(version % 2)
      if version < 12 {
        cluster.receive(cluster.shard(version, rank: rank), from: 100 + NodeID(rank))
      }
      for node in cluster.workerIDs { cluster.receive(ScriptedCluster.heartbeat(), from: node) }
      reports += cluster.handle(.tick).reports.filter { event in
        if case .checkpointOverdue = event { true } else { false }
      }
    }
    return reports
  }

  @Test("a warning is reported when many versions were due and no checkpoint was completed")
  func overdue() throws {
    var cluster = try ScriptedCluster(
      ScriptedCluster.plan(epochs: 20, checkpoints: CheckpointPlan(folder: "c", interval: 1)))
    cluster.form()
    let found = warnings(of: &cluster, to: 60)
    let slowest = "server 0 (host n1, process 100)"
    // First after the time after which a silent server is lost, then less and less often.
    #expect(
      found
        == [11, 22, 44].map { .checkpointOverdue(newest: nil, dueCount: $0, slowest: slowest) })
  }

  @Test("checkpoints, and failures that were reported, need no warning")
  func notOverdue() throws {
    var cluster = try ScriptedCluster(
      ScriptedCluster.plan(epochs: 20, checkpoints: CheckpointPlan(folder: "c", interval: 1)))
    cluster.form()
    var found = warnings(of: &cluster, to: 10)
    cluster.checkpoint(10)
    found += warnings(of: &cluster, from: 11, to: 20)
    cluster.receive(.checkpointFailed(generation: 1, version: 20, message: "full"), from: 100)
    found += warnings(of: &cluster, from: 21, to: 30)
    cluster.handle(.stopRequested(reason: "Ctrl-C"))
    found += warnings(of: &cluster, from: 31, to: 50)
    #expect(found == [])
  }
}
