import Protocol
import Testing
import Worker

@Suite("Servers that a worker cannot reach")
struct UnreachableServerTests {
  private typealias Rig = SessionRig

  // MARK: The conversation

  /// A conversation with two servers, greeted at time 0, with a pull at each.
  private func pulling(_ timeout: Double = 12) -> ServerConversation {
    var conversation = ServerConversation()
    conversation.silenceTimeout = timeout
    let hello = DataHello(runID: "run", generation: 1, sender: "worker 0")
    for case .request(let greeting, let server) in conversation.greet(
      hello, serverCount: 2, at: 0)
    {
      let welcome = DataReply(requestID: greeting.id, body: .welcome)
      _ = conversation.handle(welcome, from: server, at: 0)
    }
    let body = PullRequest(generation: 1, version: 1, sections: [], keys: .empty)
    let pulls = [0, 1].map { ServerRequest(server: $0, body: body) }
    #expect(conversation.perform(.pull(pulls), at: 0).count == 2)
    return conversation
  }

  private func probes(
    _ actions: [ServerConversation.Action]
  ) -> [(request: DataRequest, server: Int)] {
    actions.compactMap {
      if case .probe(let request, let server) = $0 { (request, server) } else { nil }
    }
  }

  private func lost(_ actions: [ServerConversation.Action]) -> [Int] {
    actions.compactMap { if case .lost(let server) = $0 { server } else { nil } }
  }

  @Test("a pull may wait for hours at a server that answers hellos, or refuses with notReady")
  func parked() {
    var conversation = pulling()
    var count = 0
    for now in stride(from: 0.5, through: 7200, by: 0.5) {
      let actions = conversation.tick(at: now)
      #expect(lost(actions).isEmpty)
      for probe in probes(actions) {
        guard case .hello = probe.request.body else {
          Issue.record("\(probe.request)")
          continue
        }
        count += 1
        let body: DataReplyBody =
          count % 2 == 0 ? .welcome : .refused(Refusal(code: .notReady, message: "later"))
        let answer = DataReply(requestID: probe.request.id, body: body)
        #expect(conversation.handle(answer, from: probe.server, at: now).isEmpty)
      }
    }
    // Both servers, every two seconds.
    #expect((7000...7300).contains(count), "\(count)")
    #expect(conversation.outstandingCount == 2)
  }

  @Test("a server without any reply is lost when the timeout has passed, and not before")
  func silent() {
    var conversation = pulling()
    var foundAt: Double?
    for now in stride(from: 0.5, through: 20, by: 0.5) where foundAt == nil {
      let actions = conversation.tick(at: now)
      for probe in probes(actions) where probe.server == 0 {
        let welcome = DataReply(requestID: probe.request.id, body: .welcome)
        #expect(conversation.handle(welcome, from: 0, at: now).isEmpty)
      }
      if !lost(actions).isEmpty {
        #expect(lost(actions) == [1])
        foundAt = now
      }
    }
    #expect(foundAt == 12.5)
  }

  @Test(
    "late replies count as signs of life, and a server that owes none may be silent")
  func owesNothing() {
    var conversation = pulling()
    let pulled = PullReply(version: 1, sections: [], values: .empty)
    // Requests 1 and 2 were the hellos. Server 0 sends a reply to no request.
    _ = conversation.handle(DataReply(requestID: 4, body: .pulled(pulled)), from: 1, at: 1)
    _ = conversation.handle(DataReply(requestID: 99, body: .welcome), from: 0, at: 8)
    for now in 1...20 { #expect(lost(conversation.tick(at: Double(now))).isEmpty) }
    #expect(lost(conversation.tick(at: 20.5)) == [0])
  }

  @Test("silence while the worker itself was paused does not count")
  func ownPause() {
    var conversation = pulling()
    #expect(conversation.tick(at: 1).isEmpty)
    #expect(lost(conversation.tick(at: 300)).isEmpty)
    for now in 301...312 { #expect(lost(conversation.tick(at: Double(now))).isEmpty) }
    #expect(lost(conversation.tick(at: 312.5)) == [0])
  }

  @Test("a probe that meets a server of another generation drops everything, as a request does")
  func foreign() {
    var conversation = pulling()
    for now in [1.0, 1.5, 2] where conversation.outstandingCount > 0 {
      for probe in probes(conversation.tick(at: now)) {
        let refusal = Refusal(code: .staleGeneration, message: "over")
        let answer = DataReply(requestID: probe.request.id, body: .refused(refusal))
        let actions = conversation.handle(answer, from: probe.server, at: now)
        if probe.server == 0 {
          guard case .outdated? = actions.first else {
            Issue.record("\(actions)")
            return
          }
        }
      }
    }
    #expect(conversation.outstandingCount == 0)
  }

  @Test("without a timeout no server is probed or lost")
  func noTimeout() {
    var conversation = pulling(.infinity)
    for now in 1...1000 {
      let actions = conversation.tick(at: Double(now))
      #expect(probes(actions).isEmpty && lost(actions).isEmpty)
    }
  }

  // MARK: The worker

  /// A worker with a task and a server that is silent from time 1 on, while the coordinator
  /// answers, up to the first action.
  private func steppedDown() throws -> (rig: SessionRig, actions: [WorkerAction], at: Double) {
    var rig = try Rig.ready(WorkerTimeouts(node: 10))
    rig.handle(Rig.task(5))
    #expect(rig.requests(.advanced(task: 5, .pull([Rig.pull]))).count == 1)
    for now in stride(from: 1.5, through: 30, by: 0.5) {
      rig.handle(Rig.envelope(.heartbeatAcknowledged(generation: 1)), at: now)
      let actions = rig.handle(.tick, at: now)
      if actions.contains(where: { if case .warn = $0 { true } else { false } }) {
        return (rig, actions, now)
      }
    }
    throw Nothing()
  }

  private struct Nothing: Error {}

  private func told(_ actions: [WorkerAction]) -> [NodeMessage] {
    actions.compactMap { if case .send(let message) = $0 { message } else { nil } }
  }

  @Test("a worker that alone cannot reach a server leaves with a reason and rejoins, not ready")
  func stepsDown() throws {
    let (_, actions, time) = try steppedDown()
    #expect(time == 16.5)
    #expect(!Rig.leaves(actions))
    let connections = actions.compactMap {
      if case .connect(let endpoints) = $0 { endpoints } else { nil }
    }
    guard case .goodbye(let reason)? = told(actions).first,
      case .hello(let hello)? = told(actions).last
    else {
      Issue.record("\(actions)")
      return
    }
    // New connections, because the old ones may hang.
    #expect(connections == [["tcp://a:1"]])
    #expect(reason.contains("server 0 at tcp://a:1") && reason.contains("15.0 s"), "\(reason)")
    #expect(told(actions).count == 2)
    #expect(hello.holding == HeldState(generation: 1, rank: 3, version: 0))
    #expect(Rig.requests(actions).count == 1)
  }

  @Test("it begins no task until every server has welcomed it, and answers a task with its goodbye")
  func refusesTasks() throws {
    var (rig, actions, time) = try steppedDown()
    let greeting = try #require(Rig.requests(actions).first)
    #expect(rig.handle(.advanced(task: 5, .push([Rig.push])), at: time).isEmpty)
    // Before it is admitted again, a task was sent before the goodbye arrived.
    #expect(rig.handle(Rig.task(5), at: time).isEmpty)
    #expect(rig.sent(Rig.welcome(), at: time).isEmpty)
    #expect(rig.sent(Rig.servers(), at: time).isEmpty)
    // Afterwards, a task means that the goodbye was lost.
    let again = rig.sent(Rig.task(5), at: time)
    guard case .goodbye? = again.first, case .hello? = again.last else {
      Issue.record("\(again)")
      return
    }
    #expect(rig.sent(Rig.welcome(), at: time).isEmpty)
    #expect(rig.heartbeats(.tick, at: time + 1) == [[1, 0]])
    #expect(rig.sent(Rig.welcomed(greeting), at: time + 2) == [.ready(generation: 1)])
    #expect(rig.begun(Rig.task(6), at: time + 2) == [6])
  }

  @Test("it tries new connections without end, and reports the problem once")
  func goesOnTrying() throws {
    var (rig, _, time) = try steppedDown()
    rig.handle(Rig.welcome(), at: time)
    var connections = 0
    for _ in 0..<600 {
      time += 0.5
      rig.handle(Rig.envelope(.heartbeatAcknowledged(generation: 1)), at: time)
      for action in rig.handle(.tick, at: time) {
        switch action {
        case .connect: connections += 1
        case .send, .warn, .leave: Issue.record("\(action)")
        default: break
        }
      }
    }
    #expect((15...20).contains(connections), "\(connections)")
  }

  @Test(
    "during a rollback a silent server does not make the worker step down")
  func recovery() throws {
    var rig = try Rig.ready(WorkerTimeouts(node: 10))
    rig.handle(Rig.task(5))
    rig.handle(.advanced(task: 5, .pull([Rig.pull])))
    rig.handle(Rig.envelope(.heartbeatAcknowledged(generation: 2)), at: 2)
    for now in 2...50 {
      let actions = rig.handle(.tick, at: Double(now))
      #expect(told(actions).isEmpty, "\(actions)")
    }
  }
}
