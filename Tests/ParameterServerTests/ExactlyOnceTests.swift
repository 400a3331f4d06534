import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

@Suite("Every contribution counts once")
struct ExactlyOnceTests {
  private static let shards = 3
  private static let versions: UInt64 = 12
  private static let spec = TableSpec(name: "count", rows: 48, width: 1, initializer: .constant(0))

  /// A gradient as a pure function of version and shard, with a counter in row 0.
  private static func gradient(version: UInt64, shard: UInt32) -> RowValues {
    var random = SeededGenerator(seed: version * 100 + UInt64(shard))
    var rows: [Int: [Float]] = [0: [1]]
    for _ in 0..<5 {
      rows[Int.random(in: 1..<48, using: &random)] = [Float(Int.random(in: 1...9, using: &random))]
    }
    return [0: rows]
  }

  /// Repeatedly sends pushes of random names, old and new, with pulls and confirmations
  /// in between, and compares every reply with a model of three lines.
  @Test(
    "whatever is repeated, reordered or outdated", arguments: 0..<40 as Range<UInt64>)
  func randomHistory(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var cluster = try TestCluster(
      [Self.spec], servers: 2, shards: Self.shards, greeted: [0, 1])
    // The model: per server, which shards of the current version it has.
    var seen: [Set<UInt32>] = [[], []]
    var confirmed: [Set<UInt32>] = [[], []]
    var current: [UInt64] = [0, 0]
    var waiting: [Set<UInt64>] = [[], []]
    var nextPull: UInt64 = 1_000_000
    while current.contains(where: { $0 < Self.versions }) {
      let server = Int.random(in: 0...1, using: &random)
      if Int.random(in: 0..<3, using: &random) == 0, current[server] < Self.versions {
        // Sometimes of a shard that has not contributed here, or was confirmed before.
        let shard = UInt32.random(in: 0..<UInt32(Self.shards), using: &random)
        var replies = cluster.confirm([shard], version: current[server], at: server).map(\.reply)
        if !seen[server].contains(shard) {
          #expect(refusal(replies.first?.body)?.code == .malformed)
          continue
        }
        confirmed[server].insert(shard)
        guard confirmed[server].count == Self.shards else {
          #expect(replies.isEmpty)
          continue
        }
        current[server] += 1
        #expect(cluster.servers[server].version == current[server])
        replies.removeAll { pullReply($0.body)?.sections.isEmpty ?? false }
        #expect(
          Set(replies.map(\.requestID)) == waiting[server] && replies.count == waiting[server].count
        )
        #expect(replies.allSatisfy { pullReply($0.body)?.version == current[server] })
        (seen[server], confirmed[server], waiting[server]) = ([], [], [])
        continue
      }
      if Int.random(in: 0..<5, using: &random) == 0 {
        nextPull += 1
        let isAhead = Bool.random(using: &random)
        let pull = TestCluster.wholePull([Self.spec], version: current[server] + (isAhead ? 1 : 0))
        let replies = cluster.send(.pull(pull), to: server, from: 1, id: nextPull)
        #expect(replies.count == (isAhead ? 0 : 1))
        if isAhead { waiting[server].insert(nextPull) }
        continue
      }
      guard current[server] < Self.versions else { continue }
      let oldest = current[server] > 2 ? current[server] - 2 : 0
      let version = UInt64.random(in: oldest...current[server] + 1, using: &random)
      let shard = UInt32.random(in: 0..<UInt32(Self.shards), using: &random)
      let isStale = Int.random(in: 0..<10, using: &random) == 0
      let push = cluster.push(
        Self.gradient(version: version, shard: shard), version: version, shard: shard,
        generation: isStale ? 0 : 1, to: server)
      var replies = cluster.send(.push(push), to: server)
      let answer = replies.removeFirst().body
      if isStale {
        #expect(refusal(answer)?.code == .staleGeneration)
      } else if version > current[server] {
        #expect(refusal(answer)?.code == .malformed)
      } else if version < current[server] || seen[server].contains(shard) {
        #expect(pushOutcome(answer) == .duplicate)
      } else {
        #expect(pushOutcome(answer) == .accepted)
        seen[server].insert(shard)
      }
      #expect(replies.isEmpty)
      #expect(cluster.servers[server].version == current[server])
    }
    var expected = [Float](repeating: 0, count: Self.spec.rows)
    for version in 0..<Self.versions {
      for shard in 0..<UInt32(Self.shards) {
        for (row, values) in Self.gradient(version: version, shard: shard)[0] ?? [:] {
          expected[row] -= values[0]  // whole numbers: no rounding
        }
      }
    }
    #expect(expected[0] == -Float(Self.versions) * Float(Self.shards))
    #expect(try cluster.pullAll(version: Self.versions) == [expected])
  }

  @Test("a duplicate is answered and counted as such even if its content is invalid")
  func brokenDuplicate() throws {
    var cluster = try TestCluster([Self.spec], shards: 2)
    cluster.pushEverywhere([:], version: 0, shard: 1)
    var broken = cluster.push([0: [1: [1]]], version: 0, shard: 1)
    broken.values = .empty
    #expect(pushOutcome(cluster.send(.push(broken)).first?.body) == .duplicate)
    #expect(cluster.servers[0].statistics.duplicates == 1)
    #expect(cluster.servers[0].statistics.pushes == 1)
  }
}
