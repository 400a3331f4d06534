import Nodes
import ParameterServer
import Protocol
import Testing

@Suite("The driver of a server")
struct ServerNodeTests {
  private let server = ScriptedServer()

  /// A server that has joined and made its tables, with the peers 5 and 6.
  init() throws {
    server.node.received(
      .coordinator(.welcome(SmallRun.welcome(serverCount: 1))), from: ScriptedServer.coordinator)
    try #require(server.prepared == [SmallRun.welcome(serverCount: 1)])
    let state = try ServerState<Int>(
      rank: 0, serverCount: 1, runID: "run", generation: 1, tables: [SmallRun.table], seed: 1,
      shardCount: 1, schedule: StepSchedule(stepsPerEpoch: 4),
      optimizer: OptimizerConfiguration(
        SGD(), model: LearningRate(1), discriminator: LearningRate(1)))
    server.node.handle(.prepared(state))
    try #require(server.reports == [.ready(generation: 1)])
    for peer in [5, 6] {
      let hello = DataHello(runID: "run", generation: 1, sender: "worker \(peer)")
      try #require(ask(.hello(hello), from: peer).map(\.body) == [.welcome])
    }
  }

  /// Sends a request, whose id is the number of its peer.
  ///
  /// - Returns: the replies that its peer gets.
  @discardableResult
  private func ask(_ body: DataRequestBody, from peer: Int) -> [DataReply] {
    let before = server.replies.count
    server.node.received(DataRequest(id: UInt64(peer), body: body).encoded(), from: peer)
    return server.replies.dropFirst(before).filter { $0.peer == peer }.map(\.reply)
  }

  private func pull(_ version: UInt64, confirmed: [UInt32] = []) -> DataRequestBody {
    .pull(
      PullRequest(
        generation: 1, version: version, sections: [], keys: .empty, confirmed: confirmed))
  }

  private func isPulled(_ replies: [DataReply], version: UInt64) -> Bool {
    guard replies.count == 1, case .pulled(let reply) = replies[0].body else { return false }
    return reply.version == version
  }

  private func refusal(_ replies: [DataReply]) -> Refusal? {
    guard replies.count == 1, case .refused(let refusal) = replies[0].body else { return nil }
    return refusal
  }

  @Test("a peer to which a reply cannot be sent is forgotten; other peers get theirs")
  func gone() {
    #expect(ask(pull(1), from: 5).isEmpty, "waits for version 1")
    server.gonePeers = [5]
    let section = TableSection(table: 0, rowCount: 8, width: 1, isWhole: true)
    let push = PushRequest(
      name: ContributionName(generation: 1, version: 0, shard: 0), kind: .gradient,
      sections: [section], keys: .empty, values: .copying([Float](repeating: 1, count: 8)))
    #expect(ask(.push(push), from: 6).map(\.body) == [.pushed(.accepted)])
    // Both pulls are answered now, that of the lost peer first.
    #expect(isPulled(ask(pull(1, confirmed: [0]), from: 6), version: 1))
    #expect(server.node.session.state?.version == 1)

    server.gonePeers = []
    #expect(refusal(ask(pull(1), from: 5))?.code == .helloNeeded)
    #expect(isPulled(ask(pull(1), from: 6), version: 1))
    #expect(server.departures.isEmpty)
  }

  @Test("a request that cannot be read is refused if its id can be read")
  func malformedRequest() {
    let before = server.replies.count
    server.node.received(.empty(id: 42), from: 5)
    #expect(server.malformedCount == 1)
    let replies = Array(server.replies.dropFirst(before))
    #expect(replies.map(\.peer) == [5])
    #expect(replies.first?.reply.requestID == 42)
    #expect(refusal(replies.map(\.reply))?.code == .malformed)

    server.node.received(.garbage, from: 5)
    #expect(server.malformedCount == 2)
    #expect(server.replies.count == before + 1)
    #expect(isPulled(ask(pull(0), from: 5), version: 0), "the peer is still known")
  }

  @Test("a refusal of bytes that cannot be sent makes the server forget the peer")
  func malformedFromGonePeer() {
    server.gonePeers = [5]
    server.node.received(.empty(id: 42), from: 5)
    server.gonePeers = []
    #expect(refusal(ask(pull(0), from: 5))?.code == .helloNeeded)
  }

  @Test("bytes of the coordinator that cannot be read are counted, and not answered")
  func malformedFromCoordinator() {
    let (replies, reports) = (server.replies.count, server.reports.count)
    for bytes in [WireMessage.empty(id: 42), .garbage, .future] {
      server.node.received(bytes, from: ScriptedServer.coordinator)
    }
    #expect(server.malformedCount == 3)
    #expect(server.replies.count == replies && server.reports.count == reports)
    #expect(server.departures.isEmpty)
  }
}
