import Protocol
import Telemetry
import Testing
import Worker

@Suite struct ServerConversationTests {
  private func pull(_ server: Int) -> ServerRequest<PullRequest> {
    ServerRequest(
      server: server,
      body: PullRequest(generation: 1, version: 0, sections: [], keys: .empty))
  }

  private func push(_ server: Int) -> ServerRequest<PushRequest> {
    ServerRequest(
      server: server,
      body: PushRequest(
        name: ContributionName(generation: 1, version: 0, shard: 0), kind: .gradient, sections: [],
        keys: .empty, values: .empty))
  }

  private func requests(_ actions: [ServerConversation.Action]) -> [(id: UInt64, server: Int)] {
    actions.compactMap {
      if case .request(let request, let server) = $0 { (request.id, server) } else { nil }
    }
  }

  private func pulled(_ id: UInt64, version: UInt64 = 0) -> DataReply {
    DataReply(
      requestID: id,
      body: .pulled(PullReply(version: version, sections: [], values: .empty)))
  }

  @Test("replies are passed on in the order of the requests, once all have arrived")
  func pullsInOrder() {
    var conversation = ServerConversation()
    let sent = requests(conversation.perform(.pull([pull(0), pull(1)]), at: 0))
    #expect(conversation.handle(pulled(sent[1].id, version: 5), from: 1, at: 0).isEmpty)
    let actions = conversation.handle(pulled(sent[0].id, version: 4), from: 0, at: 0)
    guard case .advance(.pulled(let replies))? = actions.first else {
      Issue.record("no replies were passed on")
      return
    }
    #expect(replies.map(\.version) == [4, 5])
    #expect(conversation.outstandingCount == 0)
  }

  @Test("a pull that leaves with pushes waits for their acknowledgement only if it must")
  func pullWithPushes() {
    for isHeld in [true, false] {
      var conversation = ServerConversation()
      let first = conversation.perform(.pushAndPull([push(0)], [pull(0)], isHeld: isHeld), at: 0)
      let sent = requests(first)
      #expect(first.count == sent.count && sent.count == (isHeld ? 1 : 2))
      let acknowledged = requests(
        conversation.handle(
          DataReply(requestID: sent[0].id, body: .pushed(.accepted)), from: 0, at: 0))
      #expect(acknowledged.count == (isHeld ? 1 : 0))
      let asked = isHeld ? acknowledged[0] : sent[1]
      guard case .advance(.pulled)? = conversation.handle(pulled(asked.id), from: 0, at: 0).first
      else {
        Issue.record("the rows were not passed on")
        continue
      }
      #expect(conversation.outstandingCount == 0)
    }
  }

  @Test("requests are counted with their time, their staleness and their share of the loss")
  func statistics() {
    var conversation = ServerConversation()
    let wanted = PullRequest(generation: 1, version: 7, sections: [], keys: .empty)
    let asked = requests(
      conversation.perform(.pull([ServerRequest(server: 0, body: wanted)]), at: 1))
    _ = conversation.handle(pulled(asked[0].id, version: 4), from: 0, at: 3)
    #expect(conversation.statistics.pullSeconds.sum == 2)
    #expect(conversation.statistics.staleness.sum == 3)
    var first = push(0).body
    first.sums = ["loss.total": 0.25, "stat.x": 9]
    var second = first
    second.name.shard = 1
    let sent = requests(
      conversation.perform(
        .push([
          ServerRequest(server: 0, body: first), ServerRequest(server: 0, body: second), push(1),
        ]), at: 4))
    for request in sent {
      _ = conversation.handle(
        DataReply(requestID: request.id, body: .pushed(.accepted)), from: request.server, at: 4.5)
      // A second reply counts no second time.
      _ = conversation.handle(
        DataReply(requestID: request.id, body: .pushed(.accepted)), from: request.server, at: 9)
    }
    #expect(conversation.statistics.pushSeconds.count == 3)
    #expect(conversation.statistics.pushSeconds.sum == 1.5)
    #expect(conversation.statistics.versions == 1)
    #expect(conversation.statistics.loss == ["total": 0.5])
    #expect(conversation.statistics.reduceSeconds.count == 0)
  }

  @Test("a second reply, or one of the wrong server, changes nothing")
  func strayAnswers() {
    var conversation = ServerConversation()
    let sent = requests(conversation.perform(.pull([pull(0)]), at: 0))
    #expect(conversation.handle(pulled(sent[0].id), from: 1, at: 0).isEmpty)
    #expect(conversation.handle(pulled(sent[0].id), from: 0, at: 0).count == 1)
    #expect(conversation.handle(pulled(sent[0].id), from: 0, at: 0).isEmpty)
    #expect(conversation.handle(pulled(99), from: 0, at: 0).isEmpty)
  }

  @Test("a task is done only when its pushes are acknowledged")
  func doneAfterAcknowledgement() {
    var conversation = ServerConversation()
    let actions = conversation.perform(.push([push(0), push(1)]), at: 0)
    let sent = requests(actions)
    guard case .advance(.sent)? = actions.last else {
      Issue.record("the task did not get .sent")
      return
    }
    #expect(conversation.perform(.done([]), at: 0).isEmpty)
    #expect(
      conversation.handle(
        DataReply(requestID: sent[0].id, body: .pushed(.accepted)), from: 0, at: 0
      ).isEmpty)
    let last = conversation.handle(
      DataReply(requestID: sent[1].id, body: .pushed(.duplicate)), from: 1, at: 0)
    guard case .done? = last.first else {
      Issue.record("the task did not end")
      return
    }
  }

  @Test("an unanswered request is repeated under its id with a growing interval, without end")
  func resends() {
    var limits = ServerConversation.Limits()
    limits.resendInterval = 1
    limits.longestInterval = 4
    var conversation = ServerConversation(limits: limits)
    let first = requests(conversation.perform(.pull([pull(0)]), at: 0))
    var sentAt: [Double] = []
    for now in 1...1000 {
      let again = requests(conversation.tick(at: Double(now)))
      #expect(again.allSatisfy { $0.id == first[0].id && $0.server == 0 })
      if !again.isEmpty { sentAt.append(Double(now)) }
    }
    #expect(sentAt.prefix(5) == [1, 3, 7, 11, 15])
    #expect(sentAt.last == 999)
    #expect(conversation.outstandingCount == 1)
  }

  @Test("a request to a server that is not ready is repeated; any other refusal ends the task")
  func refusals() {
    var conversation = ServerConversation()
    let sent = requests(conversation.perform(.pull([pull(0)]), at: 0))
    func refused(_ code: Refusal.Code) -> DataReply {
      DataReply(requestID: sent[0].id, body: .refused(Refusal(code: code, message: "no")))
    }
    #expect(conversation.handle(refused(.notReady), from: 0, at: 0).isEmpty)
    #expect(conversation.outstandingCount == 1)
    guard case .refused? = conversation.handle(refused(.malformed), from: 0, at: 0).first else {
      Issue.record("the refusal was not passed on")
      return
    }
    #expect(conversation.outstandingCount == 0)
  }

  @Test("values that are not finite end the task as diverged")
  func diverged() {
    var conversation = ServerConversation()
    let sent = requests(conversation.perform(.push([push(0)]), at: 0))
    let refusal = Refusal(code: .diverged, message: "row 3 of table 'item' is nan")
    let actions = conversation.handle(
      DataReply(requestID: sent[0].id, body: .refused(refusal)), from: 0, at: 0)
    guard case .refused(let failure)? = actions.first else {
      Issue.record("the refusal was not passed on")
      return
    }
    #expect(failure.kind == .diverged)
    #expect(failure.message.contains("'item'"))
  }

  private func refused(_ id: UInt64, _ code: Refusal.Code, version: UInt64 = 0) -> DataReply {
    DataReply(
      requestID: id, body: .refused(Refusal(code: code, message: "no", version: version)))
  }

  private func acknowledged(_ id: UInt64) -> DataReply {
    DataReply(requestID: id, body: .pushed(.accepted))
  }

  @Test("a request to a server that is not ready is repeated after the shortest interval")
  func notReady() {
    var conversation = ServerConversation()
    let sent = requests(conversation.perform(.pull([pull(0)]), at: 0))
    for now in stride(from: 2.0, through: 100, by: 2) {
      #expect(requests(conversation.tick(at: now)).map(\.id) == [sent[0].id])
      #expect(conversation.handle(refused(sent[0].id, .notReady), from: 0, at: now).isEmpty)
    }
  }

  @Test("a pull waits until every push is acknowledged, and is sent once")
  func heldPull() throws {
    var conversation = ServerConversation()
    let pushes = requests(conversation.perform(.push([push(0), push(1)]), at: 0))
    #expect(requests(conversation.perform(.pull([pull(0), pull(1)]), at: 0)).isEmpty)
    // Unacknowledged pushes are repeated; the pull is not sent.
    #expect(requests(conversation.tick(at: 2)).map(\.id) == pushes.map(\.id))
    #expect(conversation.handle(acknowledged(pushes[0].id), from: 0, at: 2).isEmpty)
    #expect(conversation.handle(acknowledged(pushes[0].id), from: 0, at: 2).isEmpty)
    let sent = requests(conversation.handle(acknowledged(pushes[1].id), from: 1, at: 2))
    try #require(sent.map(\.server) == [0, 1])
    #expect(Set(sent.map(\.id)).isDisjoint(with: pushes.map(\.id)))
    #expect(conversation.handle(acknowledged(pushes[1].id), from: 1, at: 2).isEmpty)
    #expect(conversation.handle(pulled(sent[0].id), from: 0, at: 3).isEmpty)
    guard case .advance(.pulled)? = conversation.handle(pulled(sent[1].id), from: 1, at: 3).first
    else {
      Issue.record("no rows were passed on")
      return
    }
    #expect(conversation.outstandingCount == 0)
  }

  @Test("a pull is sent at once if all pushes were acknowledged before")
  func pullAfterAcknowledgements() {
    var conversation = ServerConversation()
    let pushes = requests(conversation.perform(.push([push(0)]), at: 0))
    #expect(conversation.handle(acknowledged(pushes[0].id), from: 0, at: 0).isEmpty)
    #expect(requests(conversation.perform(.pull([pull(0)]), at: 0)).count == 1)
  }

  @Test("versionSuperseded is passed to the task once, and other replies are not")
  func versionSuperseded() {
    var conversation = ServerConversation()
    let sent = requests(conversation.perform(.pull([pull(0), pull(1), pull(2)]), at: 0))
    #expect(conversation.handle(pulled(sent[0].id), from: 0, at: 0).isEmpty)
    let actions = conversation.handle(
      refused(sent[1].id, .versionSuperseded, version: 7), from: 1, at: 0)
    guard case .advance(.versionSuperseded(7))? = actions.first, actions.count == 1 else {
      Issue.record("the task did not get versionSuperseded: \(actions)")
      return
    }
    #expect(conversation.outstandingCount == 0)
    // The task pulls version 7; late replies to the other pull are ignored.
    let next = requests(conversation.perform(.pull([pull(0), pull(1), pull(2)]), at: 0))
    #expect(conversation.handle(pulled(sent[2].id), from: 2, at: 0).isEmpty)
    #expect(
      conversation.handle(refused(sent[2].id, .versionSuperseded, version: 7), from: 2, at: 0)
        .isEmpty)
    for (position, request) in next.enumerated() {
      let actions = conversation.handle(pulled(request.id, version: 7), from: position, at: 0)
      #expect(actions.count == (position == 2 ? 1 : 0))
    }
  }

  @Test("when the version of a reduce is gone, all reduces of the step are dropped")
  func versionGoneOnReduce() {
    var conversation = ServerConversation()
    let reduces = [0, 1].map {
      ServerRequest(
        server: 0,
        body: ReduceRequest(
          name: ContributionName(generation: 1, version: 0, shard: $0), values: [1]))
    }
    let sent = requests(conversation.perform(.reduce(reduces), at: 0))
    let actions = conversation.handle(
      refused(sent[1].id, .versionSuperseded, version: 1), from: 0, at: 0)
    guard case .advance(.versionSuperseded(1))? = actions.first else {
      Issue.record("the task did not get versionSuperseded: \(actions)")
      return
    }
    #expect(conversation.tick(at: 100).isEmpty)
    let late = DataReply(requestID: sent[0].id, body: .reduced(ReduceReply(values: [1])))
    #expect(conversation.handle(late, from: 0, at: 100).isEmpty)
  }

  @Test(
    "a server of another generation or run drops everything, and the task does not fail",
    arguments: [Refusal.Code.staleGeneration, .wrongRun, .protocolVersion])
  func outdated(code: Refusal.Code) {
    var conversation = ServerConversation()
    let pushes = requests(conversation.perform(.push([push(0), push(1)]), at: 0))
    _ = conversation.perform(.pull([pull(0), pull(1)]), at: 0)
    guard
      case .outdated(let message)? = conversation.handle(
        refused(pushes[1].id, code), from: 1, at: 0
      ).first
    else {
      Issue.record("it was not reported")
      return
    }
    #expect(message.contains("Server 1"))
    #expect(conversation.outstandingCount == 0)
    #expect(conversation.handle(acknowledged(pushes[0].id), from: 0, at: 0).isEmpty)
    #expect(conversation.tick(at: 100).isEmpty)
  }

  @Test("after a task was abandoned nothing of it is sent, and late replies are ignored")
  func abandoned() {
    var conversation = ServerConversation()
    let pushes = requests(conversation.perform(.push([push(0)]), at: 0))
    _ = conversation.perform(.pull([pull(0)]), at: 0)
    conversation.abandon()
    #expect(conversation.handle(acknowledged(pushes[0].id), from: 0, at: 0).isEmpty)
    #expect(conversation.tick(at: 100).isEmpty)
    let next = requests(conversation.perform(.pull([pull(0)]), at: 100))
    #expect(next.count == 1)
    #expect(!pushes.map(\.id).contains(next[0].id))
  }

  @Test("a reply that does not fit its request is ignored, and the request repeated")
  func misfit() {
    var conversation = ServerConversation()
    let sent = requests(conversation.perform(.pull([pull(0)]), at: 0))
    #expect(conversation.handle(acknowledged(sent[0].id), from: 0, at: 0).isEmpty)
    #expect(requests(conversation.tick(at: 2)).map(\.id) == [sent[0].id])
  }

  /// A conversation that has greeted one server, at time 0.
  private func greeted() -> ServerConversation {
    var conversation = ServerConversation()
    let hello = DataHello(runID: "run", generation: 1, sender: "worker 0")
    let greeting = requests(conversation.greet(hello, serverCount: 1, at: 0))
    let actions = conversation.handle(
      DataReply(requestID: greeting[0].id, body: .welcome), from: 0, at: 0)
    guard case .greeted? = actions.first else {
      Issue.record("the server was not greeted")
      return conversation
    }
    return conversation
  }

  @Test("a server that forgot the worker is greeted again, and requests keep their ids")
  func forgotten() {
    var conversation = greeted()
    let sent = requests(conversation.perform(.push([push(0), push(0)]), at: 10))
    #expect(conversation.perform(.done([]), at: 10).isEmpty)
    let greeting = requests(conversation.handle(refused(sent[0].id, .helloNeeded), from: 0, at: 10))
    #expect(greeting.count == 1)
    // The hello was sent already.
    #expect(conversation.handle(refused(sent[1].id, .helloNeeded), from: 0, at: 10).isEmpty)
    let welcome = DataReply(requestID: greeting[0].id, body: .welcome)
    let again = requests(conversation.handle(welcome, from: 0, at: 10))
    #expect(again.map(\.id) == sent.map(\.id))
    #expect(conversation.handle(acknowledged(sent[0].id), from: 0, at: 10).isEmpty)
    guard case .done? = conversation.handle(acknowledged(sent[1].id), from: 0, at: 10).first else {
      Issue.record("the task did not end")
      return
    }
  }

  @Test("a hello to a server without room is repeated until there is room")
  func noRoom() {
    var conversation = ServerConversation()
    let hello = DataHello(runID: "run", generation: 1, sender: "worker 0")
    let greeting = requests(conversation.greet(hello, serverCount: 1, at: 0))
    for now in stride(from: 2.0, through: 20, by: 2) {
      let refusal = refused(greeting[0].id, .limit)
      #expect(conversation.handle(refusal, from: 0, at: now - 2).isEmpty)
      #expect(requests(conversation.tick(at: now)).map(\.id) == [greeting[0].id])
    }
    let welcome = DataReply(requestID: greeting[0].id, body: .welcome)
    guard case .greeted? = conversation.handle(welcome, from: 0, at: 20).first else {
      Issue.record("the server was not greeted")
      return
    }
  }

  @Test("a server that keeps forgetting the worker is greeted at most once per interval")
  func forgottenForEver() {
    var conversation = greeted()
    let sent = requests(conversation.perform(.pull([pull(0)]), at: 10))
    var greetings = 0
    for now in stride(from: 10, to: 110, by: 0.5) {
      let actions =
        requests(conversation.handle(refused(sent[0].id, .helloNeeded), from: 0, at: now))
        + requests(conversation.tick(at: now))
      for request in actions where request.id != sent[0].id {
        greetings += 1
        let welcome = DataReply(requestID: request.id, body: .welcome)
        _ = conversation.handle(welcome, from: 0, at: now)
      }
    }
    #expect((20...50).contains(greetings), "\(greetings)")
  }
}
