import Coordinator
import Protocol
import Testing

@Suite struct PendingCheckpointsTests {
  private let plan = ScriptedCluster.plan()

  private static func shard(
    _ version: UInt64, rank: UInt32, generation: UInt64 = 1
  ) -> CheckpointShard {
    CheckpointShard(
      generation: generation, version: version, rank: rank, file: "v\(version)/server-\(rank)",
      byteCount: 10, digest: "ab")
  }

  @Test("a version is complete with the rows of all servers, and is committed alone")
  func complete() {
    var pending = PendingCheckpoints(serverCount: 2)
    for version in [4, 6] as [UInt64] {
      pending.note(Self.shard(version, rank: 1), at: 1)
      #expect(pending.beginCommit(in: plan) == nil)
      pending.note(Self.shard(version, rank: 0), at: 2)
      if version == 4 { #expect(pending.beginCommit(in: plan)?.version == 4) }
    }
    #expect(pending.beginCommit(in: plan) == nil, "one at a time")
    let ended = pending.endCommit(of: 4, isDone: true, generation: 1)
    #expect(ended?.since == 1 && pending.newest == 4)
    #expect(pending.beginCommit(in: plan)?.shards.map(\.rank) == [0, 1])
  }

  @Test("no more versions are collected than the limit; multiples of high powers of two stay")
  func bounded() {
    var pending = PendingCheckpoints(serverCount: 2)
    for version in 1...15 as ClosedRange<UInt64> {
      pending.note(Self.shard(version, rank: 0), at: 0)
      #expect(pending.count <= PendingCheckpoints.limit)
    }
    pending.note(Self.shard(8, rank: 1), at: 0)
    #expect(pending.beginCommit(in: plan)?.version == 8)
  }

  @Test("files are deleted once all servers are beyond their version, or their generation is over")
  func discarded() {
    var pending = PendingCheckpoints(serverCount: 2)
    pending.note(Self.shard(4, rank: 0), at: 0)
    pending.noteFailure(ofRank: 1, at: 4)
    #expect(pending.takeDiscarded(generation: 1, below: 4).isEmpty)
    #expect(pending.takeDiscarded(generation: 1, below: 5) == [Self.shard(4, rank: 0)])
    pending.note(Self.shard(6, rank: 1), at: 0)
    pending.beginGeneration()
    #expect(pending.takeDiscarded(generation: 2, below: 0) == [Self.shard(6, rank: 1)])
    #expect(pending.takeDiscarded(generation: 2, below: 0).isEmpty)
  }

  @Test("a commit of an older generation does not become the newest of this one")
  func olderGeneration() {
    var pending = PendingCheckpoints(serverCount: 1)
    pending.note(Self.shard(4, rank: 0), at: 0)
    #expect(pending.beginCommit(in: plan)?.version == 4)
    pending.beginGeneration()
    #expect(pending.endCommit(of: 5, isDone: true, generation: 2) == nil)
    #expect(pending.endCommit(of: 4, isDone: true, generation: 2) != nil)
    #expect(pending.newest == nil)
  }
}
