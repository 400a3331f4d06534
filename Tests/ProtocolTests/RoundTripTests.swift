import Protocol
import Testing

@Suite("Messages survive encoding and decoding")
struct RoundTripTests {
  @Test("data requests", arguments: Samples.requests)
  func dataRequest(_ request: DataRequest) throws {
    #expect(try DataRequest(decoding: request.encoded().copied) == request)
  }

  @Test("data replies", arguments: Samples.replies)
  func dataReply(_ reply: DataReply) throws {
    #expect(try DataReply(decoding: reply.encoded().copied) == reply)
  }

  @Test("messages of nodes", arguments: Samples.nodeMessages)
  func nodeMessage(_ message: NodeMessage) throws {
    #expect(try NodeMessage(decoding: message.encoded().copied) == message)
  }

  @Test("messages of the coordinator", arguments: Samples.envelopes)
  func coordinatorEnvelope(_ envelope: CoordinatorEnvelope) throws {
    #expect(try CoordinatorEnvelope(decoding: envelope.encoded().copied) == envelope)
  }

  @Test("every refusal code", arguments: 1...10 as ClosedRange<UInt32>)
  func refusalCode(_ rawValue: UInt32) throws {
    let refusal = Refusal(code: try #require(Refusal.Code(rawValue: rawValue)), message: "no")
    let envelope = CoordinatorEnvelope(term: 3, message: .refused(refusal))
    #expect(try CoordinatorEnvelope(decoding: envelope.encoded()) == envelope)
  }

  @Test("payload frames are shared, not copied")
  func payloadsAreShared() throws {
    let push = PushRequest(
      name: Samples.name, kind: .gradient, sections: Samples.sections, keys: Samples.keys,
      values: Samples.values)
    let message = DataRequest(id: 1, body: .push(push)).encoded()
    #expect(message.frames[1] === Samples.keys)
    #expect(message.frames[2] === Samples.values)
    guard case .push(let decoded) = try DataRequest(decoding: message).body else {
      Issue.record("not a push")
      return
    }
    #expect(decoded.keys === Samples.keys)
    #expect(decoded.values === Samples.values)
  }

  @Test("messages that can have rows have three frames, with a piece of a file two, others one")
  func frameCounts() {
    #expect(
      Samples.requests.map { $0.encoded().frames.count } == [1, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2])
    #expect(Samples.replies.map { $0.encoded().frames.count } == [1, 3, 2, 2, 1, 1, 3, 3, 1, 1])
    #expect(Samples.nodeMessages.allSatisfy { $0.encoded().frames.count == 1 })
    #expect(Samples.envelopes.allSatisfy { $0.encoded().frames.count == 1 })
  }

  @Test("equal reports have equal bytes, whatever the order of the dictionary")
  func reportsAreCanonical() {
    let names = (0..<40).map { "sum \($0)" }
    let forward = Dictionary(uniqueKeysWithValues: names.map { ($0, 1.0) })
    var backward: [String: Double] = [:]
    for name in names.reversed() { backward[name] = 1.0 }
    let frames = [forward, backward].map { sums in
      NodeMessage.taskDone(id: 1, reports: [UnitReport(unit: 0, sums: sums)]).encoded()
        .frames[0].array(of: UInt8.self)
    }
    #expect(frames[0] == frames[1])
  }

  @Test("an overlong sentence is cut between characters, so that the message is accepted")
  func sentencesAreCut() throws {
    let long = "x" + String(repeating: "é", count: 4000)
    let received = try NodeMessage(decoding: NodeMessage.goodbye(reason: long).encoded())
    guard case .goodbye(let reason) = received else {
      Issue.record("not a goodbye")
      return
    }
    #expect(reason.utf8.count == 4095)
    #expect(long.hasPrefix(reason))
  }
}
