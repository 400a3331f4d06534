import ParameterServer
import Protocol
import Tables
import Testing

@Suite("Greeting and generations")
struct GreetingTests {
  private static let spec = TableSpec(name: "item", rows: 8, width: 1, initializer: .constant(0))

  private static func hello(run: String = "run", generation: UInt64 = 5) -> DataRequestBody {
    .hello(DataHello(runID: run, generation: generation, sender: "worker 3"))
  }

  @Test(
    "a hello of another run or generation is refused with both",
    arguments: [
      ("other", 5, .wrongRun, ["'run'", "'other'"]),
      ("run", 4, .staleGeneration, ["generation 4", "generation 5"]),
      ("run", 6, .notReady, ["generation 6", "generation 5"]),
    ] as [(String, UInt64, Refusal.Code, [String])])
  func wrongHello(run: String, generation: UInt64, code: Refusal.Code, words: [String]) throws {
    var cluster = try TestCluster([Self.spec], generation: 5, greeted: [])
    let replies = cluster.send(Self.hello(run: run, generation: generation))
    let refused = try #require(refusal(replies.first?.body))
    #expect(refused.code == code)
    for word in words + ["worker 3"] { #expect(refused.message.contains(word)) }
  }

  @Test("requests before a hello are refused; a second hello is welcome")
  func first() throws {
    var cluster = try TestCluster([Self.spec], generation: 5, greeted: [])
    let refused = refusal(
      cluster.send(.pull(TestCluster.wholePull([Self.spec], version: 0))).first?.body)
    #expect(refused?.code == .helloNeeded && refused?.message.contains("hello") == true)
    #expect(isWelcome(cluster.send(Self.hello()).first?.body))
    #expect(isWelcome(cluster.send(Self.hello()).first?.body))
  }

  private static func pull(_ version: UInt64) -> DataRequestBody {
    .pull(TestCluster.wholePull([spec], version: version, generation: 5))
  }

  @Test("peers are bounded: one more replaces the one with the oldest last request")
  func peerLimit() throws {
    var cluster = try TestCluster(
      [Self.spec], generation: 5, limits: ServerLimits(peers: 3), greeted: [0, 1, 2])
    #expect(pullReply(cluster.send(Self.pull(0), from: 0).first?.body) != nil)
    #expect(isWelcome(cluster.send(Self.hello(), from: 3).first?.body))
    // A forgotten peer is asked for a hello, and then takes the place of another.
    #expect(refusal(cluster.send(Self.pull(0), from: 1).first?.body)?.code == .helloNeeded)
    #expect(isWelcome(cluster.send(Self.hello(), from: 1).first?.body))
    #expect(refusal(cluster.send(Self.pull(0), from: 2).first?.body)?.code == .helloNeeded)
    for peer in [0, 1, 3] {
      #expect(pullReply(cluster.send(Self.pull(0), from: peer).first?.body) != nil)
    }
  }

  @Test("thousands of connections that are used once and end silently do not block new peers")
  func silentConnections() throws {
    var cluster = try TestCluster([Self.spec], generation: 5, limits: ServerLimits(peers: 64))
    #expect(cluster.send(Self.pull(1)).isEmpty)
    for peer in 1...5000 {
      #expect(isWelcome(cluster.send(Self.hello(), from: peer).first?.body))
    }
    // A peer that waits for a reply keeps its place, and is answered.
    let push = cluster.push([0: [1: [1]]], version: 0)
    #expect(pushOutcome(cluster.send(.push(push)).first?.body) == .accepted)
    #expect(cluster.confirm(version: 0).map(\.peer) == [0, 0])
  }

  @Test("when all peers wait for replies there is no room until one leaves")
  func everybodyWaits() throws {
    var cluster = try TestCluster(
      [Self.spec], generation: 5, limits: ServerLimits(peers: 2), greeted: [0, 1])
    for peer in 0...1 { #expect(cluster.send(Self.pull(1), from: peer).isEmpty) }
    let refused = refusal(cluster.send(Self.hello(), from: 2).first?.body)
    #expect(refused?.code == .limit && refused?.message.contains("retry later") == true)
    cluster.disconnect(0)
    #expect(isWelcome(cluster.send(Self.hello(), from: 2).first?.body))
  }

  @Test("pulls, pushes and reduces of an older generation are refused, and change nothing")
  func staleGeneration() throws {
    var cluster = try TestCluster([Self.spec], generation: 5)
    var pull = TestCluster.wholePull([Self.spec], version: 0)
    pull.generation = 4
    let name = ContributionName(generation: 4, version: 0, shard: 0)
    let push = cluster.push([0: [1: [1]]], version: 0, generation: 4)
    for body in [.pull(pull), .push(push), .reduce(ReduceRequest(name: name, values: [1]))]
      as [DataRequestBody]
    {
      #expect(refusal(cluster.send(body).first?.body)?.code == .staleGeneration)
    }
    #expect(cluster.servers[0].version == 0)
    #expect(cluster.servers[0].statistics.refusals == [.staleGeneration: 3])
    let current = cluster.push([0: [1: [2]]], version: 0, generation: 5)
    #expect(pushOutcome(cluster.send(.push(current)).first?.body) == .accepted)
  }
}
