import Protocol
import TestSupport
import Testing

@Suite("Invalid messages are refused")
struct ValidationTests {
  private func section(_ table: UInt64, rows: UInt64, width: UInt64) -> ProtobufBytes {
    ProtobufBytes().number(1, table).number(2, rows).number(3, width)
  }

  private func push(
    _ sections: [ProtobufBytes], keys: Payload, values: Payload, kind: UInt64 = 0
  ) -> WireMessage {
    var push = ProtobufBytes().message(1, ProtobufBytes()).number(2, kind)
    for section in sections { push = push.message(3, section) }
    return WireMessage(frames: [
      ProtobufBytes.header.number(2, 31).message(12, push).payload, keys, values,
    ])
  }

  private func zeros(_ count: Int) -> Payload { .copying([UInt8](repeating: 0, count: count)) }

  private func expect(
    _ code: WireError.Code, mentioning parts: String..., requestID: UInt64? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
  ) {
    let error = #expect(throws: WireError.self, sourceLocation: sourceLocation) { try body() }
    #expect(error?.code == code, sourceLocation: sourceLocation)
    for part in parts {
      #expect(error?.message.contains(part) == true, sourceLocation: sourceLocation)
    }
    if let requestID { #expect(error?.requestID == requestID, sourceLocation: sourceLocation) }
  }

  @Test("a run that ended in an unknown way is refused")
  func unknownEnding() {
    let finish = ProtobufBytes.header.message(34, ProtobufBytes().number(2, 4)).payload
    #expect {
      _ = try CoordinatorEnvelope(decoding: WireMessage(frames: [finish]))
    } throws: { "\($0)".contains("unknown way 4") }
  }

  /// A finished task of one block with these gaps and counts under each name.
  private func counted(
    _ names: [String], gaps: [UInt8], counts: [UInt8]
  ) -> WireMessage {
    var report = ProtobufBytes()
    for name in names {
      report = report.message(
        3, ProtobufBytes().bytes(1, Array(name.utf8)).bytes(2, gaps).bytes(3, counts))
    }
    return WireMessage(frames: [
      ProtobufBytes.header.message(13, ProtobufBytes().number(1, 5).message(2, report)).payload
    ])
  }

  @Test("counts of items that do not ascend, are zero, are not one per item, or repeat a name")
  func itemCounts() throws {
    let most: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F]
    for (names, gaps, counts, words) in [
      (["e"], [1, 0], [1, 1], "do not ascend"), (["e"], most + [1], [1, 1], "do not ascend"),
      (["e"], [1, 1], [1, 0], "one count above 0"), (["e"], [1, 1], [1], "one count above 0"),
      (["e", "e"], [1], [1], "twice"),
    ] as [([String], [UInt8], [UInt8], String)] {
      expect(.malformed, mentioning: words) {
        _ = try NodeMessage(decoding: counted(names, gaps: gaps, counts: counts))
      }
    }
    let good = try NodeMessage(decoding: counted(["e"], gaps: [0, 1], counts: [1, 2]))
    let items = ItemCounts([(item: 0, count: 1), (item: 1, count: 2)])
    #expect(
      good == .taskDone(id: 5, reports: [UnitReport(unit: 0, sums: [:], counts: ["e": items])]))
  }

  @Test("a values frame of a wrong size: the error has both sizes and the request's id")
  func valuesSize() {
    let message = push([section(1, rows: 2, width: 3)], keys: zeros(8), values: zeros(20))
    expect(.malformed, mentioning: "values frame has 20 bytes", "need 24", requestID: 31) {
      _ = try DataRequest(decoding: message)
    }
  }

  @Test("a keys frame of a wrong size")
  func keysSize() {
    let message = push([section(1, rows: 2, width: 3)], keys: zeros(12), values: zeros(24))
    expect(.malformed, mentioning: "keys frame has 12 bytes", "need 8") {
      _ = try DataRequest(decoding: message)
    }
  }

  @Test("sections with sizes that overflow when they are multiplied or added")
  func overflow() {
    // Each is 2^57 bytes: 128 of them are 2^64, which is 0 in 64 bits.
    let large = section(1, rows: 1 << 31, width: 1 << 24).number(4, 1)
    let sections = [ProtobufBytes](repeating: large, count: 128)
    expect(.malformed, mentioning: "more bytes than can be counted") {
      _ = try DataRequest(decoding: push(sections, keys: zeros(0), values: zeros(0)))
    }
  }

  @Test("a pull with values, and rows with keys")
  func superfluousPayloads() {
    let pull = DataRequest(
      id: 1, body: .pull(PullRequest(generation: 0, version: 0, sections: [], keys: .empty))
    ).encoded()
    expect(.malformed, mentioning: "values frame") {
      _ = try DataRequest(
        decoding: WireMessage(frames: [pull.frames[0], .empty, zeros(4)]))
    }
    let pulled = DataReply(
      requestID: 1, body: .pulled(PullReply(version: 0, sections: [], values: .empty))
    ).encoded()
    expect(.malformed, mentioning: "keys frame") {
      _ = try DataReply(decoding: WireMessage(frames: [pulled.frames[0], zeros(4), .empty]))
    }
  }

  @Test("too few or too many frames, for every kind of message")
  func frameCounts() {
    for request in Samples.requests {
      let message = request.encoded()
      expect(.malformed, mentioning: "\(message.frames.count + 1) frames") {
        _ = try DataRequest(decoding: WireMessage(frames: message.frames + [.empty]))
      }
      if message.frames.count == 3 {
        expect(.malformed, mentioning: "1 frames instead of 3") {
          _ = try DataRequest(decoding: WireMessage(frames: [message.frames[0]]))
        }
      }
    }
    for reply in Samples.replies {
      expect(.malformed) {
        _ = try DataReply(decoding: WireMessage(frames: reply.encoded().frames + [.empty]))
      }
    }
    for message in Samples.nodeMessages {
      expect(.malformed) {
        _ = try NodeMessage(decoding: WireMessage(frames: message.encoded().frames + [.empty]))
      }
    }
    for message in Samples.envelopes {
      expect(.malformed) {
        _ = try CoordinatorEnvelope(
          decoding: WireMessage(frames: message.encoded().frames + [.empty]))
      }
    }
  }

  @Test("a message of the other direction")
  func wrongDirection() {
    for reply in Samples.replies {
      expect(.malformed) { _ = try DataRequest(decoding: reply.encoded()) }
    }
    for request in Samples.requests {
      expect(.malformed) { _ = try DataReply(decoding: request.encoded()) }
    }
    for message in Samples.nodeMessages {
      expect(.malformed) { _ = try CoordinatorEnvelope(decoding: message.encoded()) }
    }
    for message in Samples.envelopes {
      expect(.malformed) { _ = try NodeMessage(decoding: message.encoded()) }
    }
  }

  @Test("enumeration values that this version does not have")
  func enumerations() {
    expect(.malformed, mentioning: "push kind has the value 2") {
      _ = try DataRequest(decoding: push([], keys: .empty, values: .empty, kind: 2))
    }
    let pushed = ProtobufBytes.header.message(22, ProtobufBytes().number(1, 77)).payload
    expect(.malformed, mentioning: "push outcome", "77") {
      _ = try DataReply(decoding: WireMessage(frames: [pushed]))
    }
    for role: UInt64 in [0, 3, .max] {
      let hello = ProtobufBytes.header.message(10, ProtobufBytes().number(1, role)).payload
      expect(.malformed, mentioning: "role") {
        _ = try NodeMessage(decoding: WireMessage(frames: [hello]))
      }
    }
    let refusal = ProtobufBytes.header.message(35, ProtobufBytes().number(1, 0)).payload
    expect(.malformed, mentioning: "refusal code") {
      _ = try CoordinatorEnvelope(decoding: WireMessage(frames: [refusal]))
    }
  }

  @Test("a kind of message or task that this version does not have")
  func unknownBodies() {
    let header = ProtobufBytes.header.message(900, ProtobufBytes()).payload
    expect(.malformed) { _ = try DataRequest(decoding: WireMessage(frames: [header])) }
    expect(.malformed) { _ = try NodeMessage(decoding: WireMessage(frames: [header])) }
    let task = ProtobufBytes.header.message(32, ProtobufBytes().number(1, 4)).payload
    expect(.malformed, mentioning: "task of a kind") {
      _ = try CoordinatorEnvelope(decoding: WireMessage(frames: [task]))
    }
  }

  @Test("a push or reduction without the name under which it counts")
  func missingName() {
    let push = ProtobufBytes.header.message(12, ProtobufBytes()).payload
    expect(.malformed, mentioning: "no contribution name") {
      _ = try DataRequest(decoding: WireMessage(frames: [push, .empty, .empty]))
    }
    let reduce = ProtobufBytes.header.message(13, ProtobufBytes()).payload
    expect(.malformed, mentioning: "no contribution name") {
      _ = try DataRequest(decoding: WireMessage(frames: [reduce, .empty, .empty]))
    }
  }

  @Test("text that is not UTF-8")
  func invalidText() {
    let goodbye = ProtobufBytes.header.message(15, ProtobufBytes().bytes(1, [0x61, 0xff])).payload
    expect(.malformed, mentioning: "reason is not valid UTF-8") {
      _ = try NodeMessage(decoding: WireMessage(frames: [goodbye]))
    }
  }

  @Test("a sum that is reported twice")
  func duplicateSums() {
    let sum = ProtobufBytes().bytes(1, Array("bpr".utf8))
    let report = ProtobufBytes().number(1, 6).message(2, sum).message(2, sum)
    let done = ProtobufBytes.header.message(13, ProtobufBytes().message(2, report)).payload
    expect(.malformed, mentioning: "'bpr' of unit 6 twice") {
      _ = try NodeMessage(decoding: WireMessage(frames: [done]))
    }
  }

  /// A welcome with one number replaced, as its bytes.
  private static func welcome(_ field: UInt64, _ value: UInt64) -> WireMessage {
    var welcome = ProtobufBytes()
    for number: UInt64 in 7...10 { welcome = welcome.number(number, number == field ? value : 1) }
    return WireMessage(frames: [ProtobufBytes.header.message(30, welcome).payload])
  }

  @Test(
    "numbers of a welcome out of range: the message names the number and the bound",
    arguments: [
      (10, 0, "number of servers is 0, and 1 to 4096"), (10, 5000, "is 5000, and 1 to 4096"),
      (10, 1 << 31, "is 2147483648, and 1 to 4096"), (7, 0, "number of shards is 0"),
      (7, 65_537, "is 65537, and 1 to 65536"), (8, 0, "number of steps per epoch is 0"),
      (9, 0, "number of rounds per step is 0"), (9, 1001, "is 1001, and 1 to 1000"),
      (3, 4096, "rank is 4096, and 0 to 4095"), (2, 1 << 32, "generation is 4294967296"),
    ] as [(UInt64, UInt64, String)])
  func welcomeNumbers(_ field: UInt64, _ value: UInt64, _ words: String) {
    var message = Self.welcome(field, value)
    if field < 7 {
      let welcome = ProtobufBytes().number(field, value).number(7, 1)
      message = WireMessage(frames: [ProtobufBytes.header.message(30, welcome).payload])
    }
    expect(.malformed, mentioning: words) { _ = try CoordinatorEnvelope(decoding: message) }
  }

  @Test("shards, blocks and versions out of range, in tasks and requests")
  func taskNumbers() {
    let train = WorkerTask(
      id: 1, generation: 1,
      body: .train(epoch: 0, firstVersion: 0, startVersion: 0, shards: [0, 65_536]))
    expect(.malformed, mentioning: "one of its shards is 65536, and 0 to 65535") {
      _ = try CoordinatorEnvelope(
        decoding: CoordinatorEnvelope(term: 1, message: .task(train)).encoded())
    }
    let rank = WorkerTask(
      id: 1, generation: 1, body: .rank(version: 0, epoch: 0, blocks: [1 << 31]))
    expect(.malformed, mentioning: "one of its blocks is 2147483648") {
      _ = try CoordinatorEnvelope(
        decoding: CoordinatorEnvelope(term: 1, message: .task(rank)).encoded())
    }
    let pull = PullRequest(
      generation: 1, version: 1 << 32, sections: [], keys: .empty, confirmed: [])
    expect(.malformed, mentioning: "version is 4294967296, and 0 to 4294967295", requestID: 1) {
      _ = try DataRequest(decoding: DataRequest(id: 1, body: .pull(pull)).encoded())
    }
  }

  @Test("a heartbeat interval that no timer can use", arguments: [0, -1, 3601, .infinity, .nan])
  func heartbeatInterval(_ interval: Double) {
    let welcome = Welcome(
      runID: "", generation: 0, rank: 0, configuration: "", tables: [], seed: 0, shardCount: 1,
      stepsPerEpoch: 1, roundsPerStep: 1, serverCount: 1, heartbeatInterval: interval)
    expect(.malformed, mentioning: "heartbeat interval") {
      _ = try CoordinatorEnvelope(
        decoding: CoordinatorEnvelope(term: 1, message: .welcome(welcome)).encoded())
    }
  }

  @Test("bytes that are no protobuf message, with advice")
  func noProtobuf() {
    expect(.malformed, mentioning: "not a protobuf message", "right address") {
      _ = try DataRequest(
        decoding: WireMessage(frames: [.copying(Array("GET / HTTP/1.1\r\n\r\n".utf8))]))
    }
  }
}
