import Protocol
import Testing

/// What a node logs while it waits for its coordinator.
@Suite struct WaitNoticeTests {
  private let hello = NodeHello(
    role: .worker, incarnation: 7, runID: "", dataEndpoint: "", host: "here", processID: 1)

  private func welcome() -> Welcome {
    Welcome(
      runID: "run", generation: 1, rank: 0, configuration: "", tables: [], seed: 1, shardCount: 1,
      stepsPerEpoch: 1, roundsPerStep: 1, serverCount: 1, heartbeatInterval: 1)
  }

  /// The notices with their times, at one tick per second.
  private func notices(
    _ membership: inout NodeMembership, from start: Int, to end: Int
  ) -> [(time: Int, text: String)] {
    (start...end).compactMap { second in
      _ = membership.tick(at: Double(second))
      return membership.waitNotice(at: Double(second)).map { (second, $0) }
    }
  }

  @Test("no answer: what is waited for and how long, logged rarely")
  func noAnswer() {
    var membership = NodeMembership(hello: hello, at: 0)
    let logged = notices(&membership, from: 0, to: 100)
    #expect(logged.map(\.time) == [10, 70])
    #expect(logged[1].text.contains("the coordinator to answer, for 70 s so far; after 600 s"))
  }

  @Test("no admission: the coordinator's reason")
  func notAdmitted() {
    var membership = NodeMembership(hello: hello, at: 0)
    let refusal = Refusal(code: .clusterFull, message: "all here")
    _ = membership.handle(CoordinatorEnvelope(term: 1, message: .refused(refusal)), at: 1)
    let logged = notices(&membership, from: 1, to: 20)
    #expect(logged.count == 1)
    #expect(logged[0].text.contains("to admit this process (its answer: all here)"))
  }

  @Test("a silent coordinator, and one of a lower term in its place")
  func silence() throws {
    var membership = NodeMembership(hello: hello, at: 0)
    _ = membership.handle(CoordinatorEnvelope(term: 3, message: .welcome(welcome())), at: 0)
    #expect(notices(&membership, from: 0, to: 9).isEmpty)
    _ = membership.handle(
      CoordinatorEnvelope(term: 3, message: .heartbeatAcknowledged(generation: 1)), at: 9)
    let logged = notices(&membership, from: 9, to: 30)
    #expect(logged.map(\.time) == [19])
    #expect(logged[0].text.contains("a message from the coordinator, for 10 s so far; after 60 s"))
    _ = membership.handle(
      CoordinatorEnvelope(term: 1, message: .heartbeatAcknowledged(generation: 1)), at: 40)
    // Only time with ticks counts.
    let departures = (41...70).flatMap { membership.tick(at: Double($0)) }.compactMap { action in
      if case .leave(.transient(let reason)) = action { reason } else { nil }
    }
    let reason = try #require(departures.first)
    #expect(reason.contains("A coordinator of term 1 answers"), "\(reason)")
  }

  @Test("within one process nothing is logged")
  func oneProcess() {
    var membership = NodeMembership(hello: hello, limits: .oneProcess, at: 0)
    #expect(notices(&membership, from: 0, to: 200).isEmpty)
  }
}
