import Coordination
import Messages
import Testing

@Suite struct CheckpointTests {
  private func training() throws -> TestCluster {
    var cluster = try TestCluster(TestCluster.plan())
    cluster.form()
    return cluster
  }

  @Test("a checkpoint is committed when every server has written its rows, and then recorded")
  func complete() throws {
    var cluster = try training()
    let first = cluster.send(cluster.shard(6, rank: 1), from: 101)
    #expect(first == [.send(.checkpointSeen(generation: 1, version: 6), to: 101)])
    cluster.now += 2.5
    let second = cluster.send(cluster.shard(6, rank: 0), from: 100)
    let commit = try #require(second.commits.first)
    #expect(commit.generation == 1)
    #expect(commit.version == 6)
    #expect(commit.epoch == 0)
    #expect(commit.step == 3)
    #expect(commit.shards.map(\.rank) == [0, 1])
    #expect(cluster.store.run.checkpoints.isEmpty)
    let done = cluster.handle(.checkpointCommitted(commit.committed))
    #expect(done.records.map(\.change) == [.checkpointCommitted(commit.committed)])
    #expect(done.reports == [.checkpointCommitted(version: 6, seconds: 2.5)])
    #expect(cluster.store.run.checkpoints == [commit.committed])
    // Training has not been touched.
    #expect(done.sent.isEmpty)
  }

  @Test("what is said again is acknowledged again and commits nothing")
  func duplicates() throws {
    var cluster = try training()
    cluster.send(cluster.shard(6, rank: 1), from: 101)
    #expect(cluster.send(cluster.shard(6, rank: 1), from: 101).commits.isEmpty)
    let commit = try #require(cluster.send(cluster.shard(6, rank: 0), from: 100).commits.first)
    let during = cluster.send(cluster.shard(6, rank: 1), from: 101)
    #expect(during == [.send(.checkpointSeen(generation: 1, version: 6), to: 101)])
    cluster.handle(.checkpointCommitted(commit.committed))
    #expect(cluster.handle(.checkpointCommitted(commit.committed)).isEmpty)
    for rank in [0, 1] as [UInt32] {
      let late = cluster.send(cluster.shard(6, rank: rank), from: 100 + NodeID(rank))
      #expect(late.map(\.isSend) == [true])
    }
    #expect(cluster.store.run.checkpoints.count == 1)
  }

  @Test("versions may come in any order; a complete one drops the older ones")
  func order() throws {
    var cluster = try training()
    cluster.send(cluster.shard(3, rank: 0), from: 100)
    cluster.send(cluster.shard(6, rank: 0), from: 100)
    #expect(cluster.send(cluster.shard(6, rank: 1), from: 101).commits.map(\.version) == [6])
    #expect(cluster.send(cluster.shard(3, rank: 1), from: 101).commits.isEmpty)
  }

  @Test("one manifest is written at a time, and then the newest that is complete")
  func oneAtATime() throws {
    var cluster = try training()
    var first: CheckpointCommit?
    for version in [2, 3, 4] as [UInt64] {
      cluster.send(cluster.shard(version, rank: 0), from: 100)
      let commits = cluster.send(cluster.shard(version, rank: 1), from: 101).commits
      #expect(commits.isEmpty == (version > 2))
      first = first ?? commits.first
    }
    let next = cluster.handle(.checkpointCommitted(try #require(first).committed))
    #expect(next.commits.map(\.version) == [4])
  }

  @Test("incomplete versions are bounded: the oldest of too many is dropped")
  func bounded() throws {
    var cluster = try training()
    for version in 1...100 as ClosedRange<UInt64> where version <= 24 {
      cluster.send(cluster.shard(version, rank: 0), from: 100)
    }
    #expect(cluster.send(cluster.shard(20, rank: 1), from: 101).commits.isEmpty)
    #expect(cluster.send(cluster.shard(21, rank: 1), from: 101).commits.map(\.version) == [21])
  }

  @Test("rows of another rank, of no version of the run, or of workers are not taken")
  func foreign() throws {
    var cluster = try training()
    cluster.send(cluster.shard(6, rank: 0), from: 100)
    cluster.send(cluster.shard(6, rank: 1), from: 100)
    cluster.send(cluster.shard(6, rank: 1), from: 200)
    cluster.send(cluster.shard(25, rank: 1), from: 101)
    cluster.send(cluster.shard(0, rank: 1), from: 101)
    #expect(cluster.state.ignoredMessageCount == 4)
    #expect(cluster.send(cluster.shard(6, rank: 1), from: 101).commits.count == 1)
  }

  @Test("rows of the generation before are acknowledged and forgotten; a commit under way counts")
  func generations() throws {
    var cluster = try training()
    cluster.send(cluster.shard(4, rank: 0), from: 100)
    let commit = try #require(cluster.send(cluster.shard(4, rank: 1), from: 101).commits.first)
    cluster.send(cluster.shard(6, rank: 1), from: 101)
    cluster.handle(.nodeGone(100))
    let done = cluster.handle(.checkpointCommitted(commit.committed))
    #expect(done.records.map(\.change) == [.checkpointCommitted(commit.committed)])
    cluster.handle(.checkpointFound(commit.committed.restored))
    cluster.send(TestCluster.hello(.server, 100), from: 100)
    cluster.ready([100, 101, 200, 201])
    let old = cluster.send(cluster.shard(6, rank: 1, generation: 1), from: 101)
    #expect(old == [.send(.checkpointSeen(generation: 1, version: 6), to: 101)])
    #expect(cluster.send(cluster.shard(6, rank: 0), from: 100).commits.isEmpty)
    #expect(cluster.send(cluster.shard(6, rank: 1), from: 101).commits.map(\.generation) == [2])
  }

  @Test("a checkpoint that cannot be written is told of, and training goes on")
  func failures() throws {
    var cluster = try training()
    cluster.send(cluster.shard(6, rank: 0), from: 100)
    let failure = cluster.send(
      .checkpointFailed(generation: 1, version: 6, message: "no space left"), from: 101)
    #expect(failure.count == 1)
    guard case .checkpointFailed(let message)? = failure.reports.first else {
      Issue.record("nobody was told")
      return
    }
    #expect(message.contains("server 1 (host n1, process 101)"))
    #expect(message.contains("version 6"))
    #expect(message.contains("no space left"))

    cluster.send(cluster.shard(7, rank: 0), from: 100)
    cluster.send(cluster.shard(7, rank: 1), from: 101)
    let uncommitted = cluster.handle(.checkpointCommitFailed(version: 7, message: "read-only"))
    #expect(uncommitted == [.report(.checkpointFailed(message: "read-only"))])
    // The next one is tried as if nothing had been.
    cluster.send(cluster.shard(8, rank: 0), from: 100)
    #expect(cluster.send(cluster.shard(8, rank: 1), from: 101).commits.count == 1)
  }
}
