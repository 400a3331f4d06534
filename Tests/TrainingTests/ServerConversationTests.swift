import Messages
import Testing
import Training

@Suite struct ServerConversationTests {
  private func pull(_ server: Int) -> Addressed<PullRequest> {
    Addressed(
      server: server,
      body: PullRequest(generation: 1, version: 0, sections: [], keys: .empty))
  }

  private func push(_ server: Int) -> Addressed<PushRequest> {
    Addressed(
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

  @Test("answers are handed over in the order of the requests, once all are there")
  func pullsInOrder() {
    var conversation = ServerConversation()
    let sent = requests(conversation.perform(.pull([pull(0), pull(1)]), at: 0))
    #expect(conversation.handle(pulled(sent[1].id, version: 5), from: 1, at: 0).isEmpty)
    let actions = conversation.handle(pulled(sent[0].id, version: 4), from: 0, at: 0)
    guard case .advance(.pulled(let replies))? = actions.first else {
      Issue.record("no answers were handed over")
      return
    }
    #expect(replies.map(\.version) == [4, 5])
    #expect(conversation.outstandingCount == 0)
  }

  @Test("a second answer, or one of the wrong server, changes nothing")
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
      Issue.record("the task was not told that its pushes went out")
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

  @Test("an unanswered request goes out again under its own name, ever more rarely, then is lost")
  func resends() {
    var limits = ServerConversation.Limits()
    limits.resendInterval = 1
    limits.maximumAttempts = 3
    var conversation = ServerConversation(limits: limits)
    let first = requests(conversation.perform(.pull([pull(0)]), at: 0))
    #expect(conversation.tick(at: 0.9).isEmpty)
    #expect(requests(conversation.tick(at: 1)).map(\.id) == [first[0].id])
    #expect(conversation.tick(at: 2.9).isEmpty)
    #expect(requests(conversation.tick(at: 3)).map(\.id) == [first[0].id])
    guard case .lost(let message)? = conversation.tick(at: 7).first else {
      Issue.record("the server was not given up")
      return
    }
    #expect(message.contains("server 0"))
    #expect(conversation.outstandingCount == 0)
  }

  @Test("a server that is not ready is asked again; any other refusal ends the task")
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

  @Test("a server that forgot us is greeted once more and asked again under the same names")
  func forgotten() {
    var conversation = ServerConversation()
    let hello = DataHello(runID: "run", generation: 1, sender: "worker 0")
    let greeting = requests(conversation.greet(hello, serverCount: 1, at: 0))
    _ = conversation.handle(DataReply(requestID: greeting[0].id, body: .welcome), from: 0, at: 0)
    let sent = requests(conversation.perform(.push([push(0), push(0)]), at: 0))
    #expect(conversation.perform(.done([]), at: 0).isEmpty)
    func forgotten(_ id: UInt64) -> [(id: UInt64, server: Int)] {
      let refusal = Refusal(code: .helloNeeded, message: "say hello first")
      return requests(
        conversation.handle(DataReply(requestID: id, body: .refused(refusal)), from: 0, at: 1))
    }
    let first = forgotten(sent[0].id)
    #expect(first.count == 2)
    #expect(first.last?.id == sent[0].id)
    // The hello is under way already.
    #expect(forgotten(sent[1].id).map(\.id) == [sent[1].id])
    for request in sent {
      #expect(
        conversation.handle(
          DataReply(requestID: request.id, body: .pushed(.accepted)), from: 0, at: 1
        ).isEmpty)
    }
    let last = conversation.handle(
      DataReply(requestID: first[0].id, body: .welcome), from: 0, at: 1)
    guard case .done? = last.first else {
      Issue.record("the task did not end")
      return
    }
  }

  @Test("a server that forgets us for ever is lost")
  func forgottenForEver() {
    var limits = ServerConversation.Limits()
    limits.maximumAttempts = 3
    var conversation = ServerConversation(limits: limits)
    let hello = DataHello(runID: "run", generation: 1, sender: "worker 0")
    let greeting = requests(conversation.greet(hello, serverCount: 1, at: 0))
    _ = conversation.handle(DataReply(requestID: greeting[0].id, body: .welcome), from: 0, at: 0)
    let sent = requests(conversation.perform(.pull([pull(0)]), at: 0))
    let refusal = Refusal(code: .helloNeeded, message: "say hello first")
    let reply = DataReply(requestID: sent[0].id, body: .refused(refusal))
    _ = conversation.handle(reply, from: 0, at: 0)
    _ = conversation.handle(reply, from: 0, at: 0)
    guard case .lost? = conversation.handle(reply, from: 0, at: 0).first else {
      Issue.record("the server was not given up")
      return
    }
  }
}
