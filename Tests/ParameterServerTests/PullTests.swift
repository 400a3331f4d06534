import ParameterServer
import Protocol
import Tables
import Testing

@Suite("Pulls")
struct PullTests {
  private static let spec = TableSpec(
    name: "item", rows: 64, width: 2, initializer: .uniform(bound: 1))

  private static func cluster(limits: ServerLimits = ServerLimits()) throws -> TestCluster {
    try TestCluster([spec], limits: limits, greeted: [0, 1, 2])
  }

  private static func pull(_ version: UInt64) -> DataRequestBody {
    .pull(TestCluster.wholePull([spec], version: version))
  }

  @Test("rows come in the order of their keys, with the values of the whole table")
  func byKey() throws {
    var cluster = try Self.cluster()
    let all = try cluster.pullAll(version: 0)[0]
    let some = try cluster.pullRows([0, 5, 17, 63], version: 0)
    let expected: [Float] = [
      all[0], all[1], all[10], all[11], all[34], all[35], all[126], all[127],
    ]
    #expect(some == expected)
    #expect(try cluster.pullRows([], version: 0) == [])
  }

  @Test("a pull of the next version waits, and is answered once with the rows of that version")
  func parked() throws {
    var cluster = try Self.cluster()
    let before = try cluster.pullRows([3], version: 0)
    #expect(cluster.send(Self.pull(1), from: 1, id: 70).isEmpty)
    #expect(cluster.send(Self.pull(1), from: 2, id: 70).isEmpty)
    #expect(cluster.send(Self.pull(1), from: 1, id: 70).isEmpty, "sent again")
    let push = cluster.push([0: [3: [1, 2]]], version: 0)
    #expect(cluster.send(.push(push), id: 80).count == 1)
    let replies = cluster.confirm(version: 0, id: 90)
    #expect(replies.map(\.peer) == [1, 2, 0])
    #expect(replies.map(\.reply.requestID) == [70, 70, 90])
    let pulled = try #require(pullReply(replies[0].reply.body))
    #expect(pulled.version == 1)
    #expect(Array(pulled.values.array(of: Float.self)[6..<8]) == [before[0] - 1, before[1] - 2])
    cluster.send(.push(cluster.push([:], version: 1)))
    #expect(cluster.confirm(version: 1).count == 1, "no pull waits any more")
    #expect(cluster.servers[0].statistics.parkedPulls == 2)
  }

  @Test(
    "a pull of a version that is gone, or more than one ahead, is refused with the current one")
  func outOfReach() throws {
    var cluster = try Self.cluster()
    cluster.pushEverywhere([:], version: 0)
    let gone = try #require(refusal(cluster.send(Self.pull(0), from: 1).first?.body))
    #expect(gone.code == .versionSuperseded && gone.version == 1)
    #expect(
      gone.message.contains("worker 1's pull of version 0") && gone.message.contains("at version 1")
    )
    for version in [3, UInt64.max] {
      #expect(refusal(cluster.send(Self.pull(version)).first?.body)?.code == .malformed)
    }
  }

  @Test("a lost peer gets no reply, and may return")
  func peerGone() throws {
    var cluster = try Self.cluster()
    #expect(cluster.send(Self.pull(1), from: 1).isEmpty)
    cluster.disconnect(1)
    cluster.disconnect(99)
    cluster.send(.push(cluster.push([:], version: 0)))
    #expect(cluster.confirm(version: 0).map(\.peer) == [0])
    #expect(
      refusal(cluster.send(Self.pull(1), from: 1).first?.body)?.message.contains("hello") == true)
    let hello = DataHello(runID: "run", generation: 1, sender: "worker 1")
    #expect(isWelcome(cluster.send(.hello(hello), from: 1).first?.body))
    #expect(pullReply(cluster.send(Self.pull(1), from: 1).first?.body) != nil)
  }

  @Test("parked pulls are bounded, and one without room still confirms")
  func parkedLimit() throws {
    var cluster = try Self.cluster(limits: ServerLimits(parkedPulls: 3))
    for _ in 0..<3 { #expect(cluster.send(Self.pull(1)).isEmpty) }
    #expect(refusal(cluster.send(Self.pull(1)).first?.body)?.code == .limit)
    cluster.send(.push(cluster.push([:], version: 0)))
    cluster.hold()
    #expect(refusal(cluster.confirm(version: 0).first?.reply.body)?.code == .limit)
    #expect(cluster.release().count == 3)
    #expect(cluster.servers[0].version == 1)
  }

  @Test("a reply above the limit is refused with both sizes")
  func replyLimit() throws {
    // The largest frame of the network.
    #expect(ServerLimits().replyBytes == 256 << 20)
    var cluster = try Self.cluster(limits: ServerLimits(replyBytes: 511))
    let refused = try #require(refusal(cluster.send(Self.pull(0)).first?.body))
    #expect(refused.code == .limit)
    #expect(refused.message.contains("512") && refused.message.contains("511"))
    #expect(try cluster.pullRows([1, 2], version: 0).count == 4)
  }
}
