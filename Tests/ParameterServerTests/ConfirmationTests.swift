import ParameterServer
import Protocol
import Tables
import Testing

@Suite("A version begins when all shards are confirmed")
struct ConfirmationTests {
  private static let spec = TableSpec(name: "item", rows: 8, width: 1, initializer: .constant(0))

  private static func cluster(shards: Int = 3, servers: Int = 1) throws -> TestCluster {
    try TestCluster([spec], servers: servers, shards: shards, greeted: [0, 1, 2])
  }

  private static func contribute(_ shards: Range<UInt32>, to cluster: inout TestCluster) {
    let version = cluster.servers[0].version
    for shard in shards {
      let push = cluster.push([0: [Int(shard): [1]]], version: version, shard: shard)
      #expect(pushOutcome(cluster.send(.push(push)).first?.body) == .accepted)
    }
  }

  @Test("contributions alone change nothing; the last confirmation applies them all")
  func contributionsWait() throws {
    var cluster = try Self.cluster()
    Self.contribute(0..<3, to: &cluster)
    #expect(cluster.servers[0].version == 0)
    #expect(try cluster.pullAll(version: 0)[0] == [0, 0, 0, 0, 0, 0, 0, 0])
    #expect(cluster.confirm([0, 2], version: 0, from: 1, id: 50).isEmpty)
    #expect(cluster.confirm([0], version: 0, from: 2, id: 51).isEmpty, "confirmed twice")
    #expect(try cluster.pullAll(version: 0)[0] == [0, 0, 0, 0, 0, 0, 0, 0], "still readable")
    let replies = cluster.confirm([1], version: 0, from: 0, id: 52)
    #expect(replies.map(\.reply.requestID) == [50, 51, 52])
    #expect(cluster.servers[0].version == 1)
    #expect(try cluster.pullAll(version: 1)[0] == [-1, -1, -1, 0, 0, 0, 0, 0])
  }

  @Test("confirmations may come in the same message as late shards, or before others contribute")
  func confirmedOneByOne() throws {
    var cluster = try Self.cluster()
    for shard in 0..<UInt32(3) {
      Self.contribute(shard..<shard + 1, to: &cluster)
      #expect(cluster.servers[0].version == 0)
      cluster.confirm([shard], version: 0)
    }
    #expect(cluster.servers[0].version == 1)
    // A repeated confirmation of the version before changes nothing.
    Self.contribute(0..<3, to: &cluster)
    #expect(cluster.confirm([0, 1, 2], version: 0).count == 1)
    #expect(cluster.servers[0].version == 1)
  }

  @Test("a shard that has not contributed here cannot be confirmed, nor one that does not exist")
  func unfounded() throws {
    var cluster = try Self.cluster(servers: 2)
    Self.contribute(0..<2, to: &cluster)
    let refused = try #require(refusal(cluster.confirm([0, 2], version: 0).first?.reply.body))
    #expect(refused.code == .malformed && refused.message.contains("shard 2 is confirmed"))
    let unknown = try #require(refusal(cluster.confirm([3], version: 0).first?.reply.body))
    #expect(unknown.code == .malformed && unknown.message.contains("3 shards"))
    Self.contribute(2..<3, to: &cluster)
    cluster.confirm([1, 2], version: 0)
    #expect(cluster.servers[0].version == 0, "nothing of the refused pull was kept")
    cluster.confirm([0], version: 0)
    #expect(cluster.servers[0].version == 1)
  }

  @Test("the only server lets a confirmation that came before its push be repeated")
  func pushLostBeforeConfirmation() throws {
    var cluster = try Self.cluster()
    Self.contribute(0..<2, to: &cluster)
    let early = try #require(
      refusal(cluster.confirm([0, 1, 2], version: 0, id: 60).first?.reply.body))
    #expect(early.code == .notReady && early.message.contains("shard 2 is confirmed"))
    Self.contribute(2..<3, to: &cluster)
    #expect(cluster.servers[0].version == 0, "nothing of the refused pull was kept")
    let replies = cluster.confirm([0, 1, 2], version: 0, id: 60)
    #expect(replies.map(\.reply.requestID) == [60])
    #expect(cluster.servers[0].version == 1)
  }

  @Test("held tables accept contributions and confirmations, and continue when released")
  func hold() throws {
    var cluster = try Self.cluster(shards: 1)
    #expect(cluster.hold() == 0)
    for version in 0..<UInt64(2) {
      Self.contribute(0..<1, to: &cluster)
      #expect(cluster.confirm(version: version, id: 70 + version).isEmpty)
      #expect(cluster.servers[0].version == version)
      #expect(cluster.release(upTo: version).isEmpty, "not beyond the current version")
      #expect(cluster.release(upTo: version + 1).map(\.reply.requestID) == [70 + version])
      #expect(cluster.servers[0].version == version + 1)
    }
    Self.contribute(0..<1, to: &cluster)
    cluster.confirm(version: 2)
    #expect(cluster.servers[0].version == 2)
    #expect(cluster.release().count == 1)
    Self.contribute(0..<1, to: &cluster)
    cluster.confirm(version: 3)
    #expect(cluster.servers[0].version == 4)
  }

  @Test("pulls and sums of a version that is gone are refused with the version to continue at")
  func gone() throws {
    var cluster = try Self.cluster(shards: 1)
    for _ in 0..<4 {
      Self.contribute(0..<1, to: &cluster)
      cluster.confirm(version: cluster.servers[0].version)
    }
    let name = ContributionName(generation: 1, version: 3, shard: 0)
    for body in [
      .pull(TestCluster.wholePull([Self.spec], version: 3)),
      .reduce(ReduceRequest(name: name, values: [1])),
    ] as [DataRequestBody] {
      let refused = try #require(refusal(cluster.send(body).first?.body))
      #expect(refused.code == .versionSuperseded && refused.version == 4)
      #expect(refused.message.contains("version 3") && refused.message.contains("at version 4"))
    }
    let late = cluster.push([:], version: 3)
    #expect(pushOutcome(cluster.send(.push(late)).first?.body) == .duplicate)
  }
}
