import Protocol
import TestSupport
import Testing

@Suite("Limits of messages")
struct WireLimitsTests {
  /// Expects success at a limit and a refusal that names it one above.
  private func expectLimit(
    _ limit: Int, sourceLocation: SourceLocation = #_sourceLocation,
    _ decode: (Int) throws -> Void
  ) {
    #expect(throws: Never.self, sourceLocation: sourceLocation) { try decode(limit) }
    let error = #expect(throws: WireError.self, sourceLocation: sourceLocation) {
      try decode(limit + 1)
    }
    #expect(error?.code == .limit, sourceLocation: sourceLocation)
    #expect(error?.message.contains("at most \(limit)") == true, sourceLocation: sourceLocation)
    #expect(error?.refusal.code == .limit, sourceLocation: sourceLocation)
  }

  @Test("4096 sections")
  func sections() {
    expectLimit(4096) { count in
      let sections = [TableSection](
        repeating: TableSection(table: 1, rowCount: 0, width: 1, isWhole: false), count: count)
      let pull = PullRequest(generation: 0, version: 0, sections: sections, keys: .empty)
      _ = try DataRequest(decoding: DataRequest(id: 1, body: .pull(pull)).encoded())
    }
  }

  @Test("65,536 values in a reduction, both ways")
  func reduceValues() {
    expectLimit(65_536) { count in
      let reduce = ReduceRequest(name: Samples.name, values: [Double](repeating: 1, count: count))
      _ = try DataRequest(decoding: DataRequest(id: 1, body: .reduce(reduce)).encoded())
    }
    expectLimit(65_536) { count in
      let sums = ReduceReply(values: [Double](repeating: 1, count: count))
      _ = try DataReply(decoding: DataReply(requestID: 1, body: .reduced(sums)).encoded())
    }
  }

  @Test("a million shards or blocks in a task")
  func units() {
    expectLimit(1_000_000) { count in
      let units = [UInt32](repeating: 7, count: count)
      let task = WorkerTask(
        id: 1, generation: 1,
        body: .train(epoch: 0, firstVersion: 0, startVersion: 0, shards: units))
      _ = try CoordinatorEnvelope(
        decoding: CoordinatorEnvelope(term: 1, message: .task(task)).encoded())
    }
    expectLimit(1_000_000) { count in
      let units = [UInt32](repeating: 7, count: count)
      let task = WorkerTask(id: 1, generation: 1, body: .rank(version: 0, epoch: 0, blocks: units))
      _ = try CoordinatorEnvelope(
        decoding: CoordinatorEnvelope(term: 1, message: .task(task)).encoded())
    }
  }

  @Test("65,536 unit reports of 2048 sums and 256 counts")
  func reports() {
    expectLimit(65_536) { count in
      let reports = [UnitReport](repeating: UnitReport(unit: 0, sums: [:]), count: count)
      _ = try NodeMessage(decoding: NodeMessage.taskDone(id: 1, reports: reports).encoded())
    }
    expectLimit(2048) { count in
      let sums = Dictionary(uniqueKeysWithValues: (0..<count).map { ("\($0)", 0.0) })
      let report = UnitReport(unit: 0, sums: sums)
      _ = try NodeMessage(decoding: NodeMessage.taskDone(id: 1, reports: [report]).encoded())
    }
    expectLimit(256) { count in
      let none = ItemCounts([(item: UInt32, count: UInt32)]())
      let counts = Dictionary(uniqueKeysWithValues: (0..<count).map { ("\($0)", none) })
      let report = UnitReport(unit: 0, sums: [:], counts: counts)
      _ = try NodeMessage(decoding: NodeMessage.taskDone(id: 1, reports: [report]).encoded())
    }
  }

  @Test("4 KiB of a name, 4 MiB of configuration")
  func strings() {
    expectLimit(4096) { count in
      let hello = DataHello(
        runID: String(repeating: "r", count: count), generation: 0, sender: "")
      _ = try DataRequest(decoding: DataRequest(id: 1, body: .hello(hello)).encoded())
    }
    expectLimit(4 << 20) { count in
      let welcome = Welcome(
        runID: "", generation: 0, rank: 0,
        configuration: String(repeating: "#", count: count), tables: [], seed: 0, shardCount: 1,
        stepsPerEpoch: 1, roundsPerStep: 1, serverCount: 1, heartbeatInterval: 1)
      _ = try CoordinatorEnvelope(
        decoding: CoordinatorEnvelope(term: 1, message: .welcome(welcome)).encoded())
    }
  }

  @Test("8 MiB of header")
  func headerBytes() {
    expectLimit(8 << 20) { count in
      // An unknown field, which a receiver skips; its number and length take 6 bytes.
      let header = ProtobufBytes.header.message(14, ProtobufBytes())
      let padding = [UInt8](repeating: 0, count: count - header.bytes.count - 6)
      let padded = header.bytes(2000, padding).payload
      #expect(padded.byteCount == count)
      _ = try NodeMessage(decoding: WireMessage(frames: [padded]))
    }
  }

  @Test("memory that a small header makes its parser take")
  func parserMemory() {
    // Two bytes each: an empty section costs the parser about 50.
    var pull = ProtobufBytes()
    for _ in 0..<3_000_000 { pull.bytes += [0x1a, 0x00] }
    let bomb = ProtobufBytes.header.message(11, pull).payload
    #expect(bomb.byteCount < 8 << 20)
    let error = #expect(throws: WireError.self) {
      try DataRequest(decoding: WireMessage(frames: [bomb, .empty, .empty]))
    }
    #expect(error?.code == .malformed)
    #expect(error?.message.contains("\(64 << 20) bytes") == true)
  }
}
