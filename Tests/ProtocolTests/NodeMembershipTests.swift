import Protocol
import Testing

@Suite struct NodeMembershipTests {
  private let hello = NodeHello(
    role: .worker, incarnation: 7, runID: "", dataEndpoint: "", host: "here", processID: 1)

  private func welcome(heartbeatInterval: Double = 1, generation: UInt64 = 1) -> Welcome {
    Welcome(
      runID: "run", generation: generation, rank: 0, configuration: "", tables: [], seed: 1,
      shardCount: 1,
      stepsPerEpoch: 1, roundsPerStep: 1, serverCount: 1, heartbeatInterval: heartbeatInterval)
  }

  private func names(_ actions: [NodeMembership.Action]) -> [String] {
    actions.map { action in
      switch action {
      case .send(.hello): "hello"
      case .deliver: "deliver"
      case .send: "send"
      case .sendHeartbeat: "heartbeat"
      case .begin: "begin"
      case .welcomeRepeated: "repeated"
      case .leave(.finished): "finished"
      case .leave(.transient): "transient"
      case .leave(.permanent): "permanent"
      }
    }
  }

  @Test("sends one hello per interval until it is welcomed, then heartbeats")
  func joins() {
    var membership = NodeMembership(hello: hello, at: 0)
    #expect(names(membership.tick(at: 0)) == ["hello"])
    #expect(names(membership.tick(at: 0.5)) == [])
    #expect(names(membership.tick(at: 1.0)) == ["hello"])
    #expect(names(membership.receive(.welcome(welcome()), at: 1.1)) == ["begin"])
    #expect(names(membership.receive(.welcome(welcome()), at: 1.2)) == ["repeated"])
    #expect(names(membership.tick(at: 1.3)) == ["heartbeat"])
    #expect(names(membership.tick(at: 1.4)) == [])
    #expect(names(membership.tick(at: 2.5)) == ["heartbeat"])
  }

  @Test("stops joining after the timeout, as a transient failure")
  func joinTimeout() {
    var limits = NodeMembership.Limits()
    limits.joinTimeout = 5
    var membership = NodeMembership(hello: hello, limits: limits, at: 0)
    #expect(names(membership.tick(at: 5)) == ["hello"])
    #expect(names(membership.tick(at: 5.1)) == ["transient"])
  }

  @Test("detects a silent coordinator; any message shows that it is alive")
  func silence() {
    var limits = NodeMembership.Limits()
    limits.silenceTimeout = 10
    var membership = NodeMembership(hello: hello, limits: limits, at: 0)
    _ = membership.receive(.welcome(welcome(heartbeatInterval: 2)), at: 0)
    for second in 0...9 { _ = membership.tick(at: Double(second)) }
    _ = membership.receive(.heartbeatAcknowledged(generation: 1), at: 9)
    for second in 10...19 {
      #expect(names(membership.tick(at: Double(second))) != ["transient"])
    }
    #expect(names(membership.tick(at: 19.5)) == ["transient"])
  }

  @Test("within one process a pause does not count as the loss of the coordinator")
  func oneProcess() {
    var membership = NodeMembership(hello: hello, limits: .oneProcess, at: 0)
    #expect(names(membership.tick(at: 100_000)) == ["hello"])
    _ = membership.receive(.welcome(welcome(heartbeatInterval: 2)), at: 100_000)
    #expect(names(membership.tick(at: 200_000)) == ["heartbeat"])
  }

  @Test("with a long heartbeat interval the coordinator is not lost between two heartbeats")
  func rareHeartbeats() {
    var limits = NodeMembership.Limits()
    limits.silenceTimeout = 10
    var membership = NodeMembership(hello: hello, limits: limits, at: 0)
    _ = membership.receive(.welcome(welcome(heartbeatInterval: 30)), at: 0)
    for second in 1...120 {
      #expect(names(membership.tick(at: Double(second))) != ["transient"])
    }
    #expect(names(membership.tick(at: 121)) == ["transient"])
  }

  @Test("a failed run is left with a failure")
  func endings() {
    let endings: [(RunEnding, String)] = [
      (.orderly, "finished"), (.stopped, "finished"), (.transientFailure, "transient"),
      (.permanentFailure, "permanent"),
    ]
    for (ending, name) in endings {
      var membership = NodeMembership(hello: hello, at: 0)
      let actions = membership.receive(.finish(reason: "over", ending: ending), at: 0)
      #expect(names(actions) == [name])
    }
  }

  @Test("a refusal makes the node leave, unless the coordinator is not ready or full")
  func refusals() {
    var membership = NodeMembership(hello: hello, at: 0)
    let notReady = Refusal(code: .notReady, message: "wait")
    #expect(names(membership.receive(.refused(notReady), at: 0)) == [])
    let full = Refusal(code: .clusterFull, message: "full")
    #expect(names(membership.receive(.refused(full), at: 0)) == [])
    let other = Refusal(code: .wrongRun, message: "another run")
    #expect(names(membership.receive(.refused(other), at: 0)) == ["permanent"])
  }

  @Test("begins every higher generation once, and no lower one")
  func generations() {
    var membership = NodeMembership(hello: hello, at: 0)
    #expect(names(membership.receive(.welcome(welcome(generation: 2)), at: 0)) == ["begin"])
    #expect(names(membership.receive(.welcome(welcome(generation: 1)), at: 0)) == [])
    #expect(membership.welcome?.generation == 2)
    #expect(names(membership.receive(.welcome(welcome(generation: 5)), at: 0)) == ["begin"])
    #expect(names(membership.receive(.welcome(welcome(generation: 5)), at: 0)) == ["repeated"])
  }

  @Test("obeys the coordinator with the highest term only")
  func terms() {
    var membership = NodeMembership(hello: hello, at: 0)
    _ = membership.receive(.welcome(welcome()), term: 3, at: 0)
    #expect(names(membership.receive(.hold(generation: 1), term: 3, at: 1)) == ["deliver"])
    #expect(names(membership.receive(.hold(generation: 1), term: 2, at: 1)) == [])
    let over = CoordinatorMessage.finish(reason: "over", ending: .orderly)
    #expect(names(membership.receive(over, term: 2, at: 1)) == [])
    #expect(names(membership.receive(.hold(generation: 1), term: 4, at: 1)) == ["deliver"])
    #expect(names(membership.receive(over, term: 3, at: 1)) == [])
    #expect(names(membership.receive(over, term: 4, at: 1)) == ["finished"])
  }

  @Test("a node that was paused does not count the pause as silence")
  func ownPause() {
    var membership = NodeMembership(hello: hello, at: 0)
    _ = membership.receive(.welcome(welcome()), at: 0)
    #expect(names(membership.tick(at: 1000)) == ["heartbeat"])
    #expect(names(membership.receive(.heartbeatAcknowledged(generation: 1), at: 1000.1)) == [])
    for second in 1001...1060 {
      #expect(names(membership.tick(at: Double(second))) == ["heartbeat"])
    }
    #expect(names(membership.tick(at: 1061)) == ["transient"])
  }

  @Test("sends a hello with what it has to a coordinator that does not know it")
  func helloAgain() throws {
    var membership = NodeMembership(hello: hello, at: 0)
    _ = membership.tick(at: 0)
    _ = membership.receive(.welcome(welcome(generation: 4)), at: 0)
    membership.holding = HeldState(generation: 4, rank: 1, version: 99)
    let unknown = CoordinatorMessage.refused(Refusal(code: .helloNeeded, message: "unknown"))
    let actions = membership.receive(unknown, term: 2, at: 5)
    guard case .send(.hello(let again)) = try #require(actions.first) else {
      Issue.record("no hello but \(actions)")
      return
    }
    #expect(again.incarnation == hello.incarnation)
    #expect(again.holding == HeldState(generation: 4, rank: 1, version: 99))
    #expect(names(membership.receive(unknown, term: 2, at: 5.1)) == [])
    #expect(names(membership.tick(at: 6)) == ["hello"])
    let welcomed = membership.receive(.welcome(welcome(generation: 4)), term: 2, at: 6)
    #expect(names(welcomed) == ["repeated"])
    #expect(names(membership.tick(at: 7)) == ["heartbeat"])
  }
}

extension NodeMembership {
  fileprivate mutating func receive(
    _ message: CoordinatorMessage, term: UInt64 = 1, at now: Double
  ) -> [Action] {
    handle(CoordinatorEnvelope(term: term, message: message), at: now)
  }
}
