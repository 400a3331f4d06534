import Protocol
import Tables
import TestSupport
import Testing
import Worker

/// Every number of every message to a worker, at its extremes: refused
/// by the decoder, or handled by everything behind it. A number that traps ends this process.
@Suite struct ExtremeNumberTests {
  /// Every accepted variant of the coordinator's messages.
  private static func envelopes(_ messages: [CoordinatorMessage]) -> [CoordinatorEnvelope] {
    messages.flatMap { message -> [CoordinatorEnvelope] in
      variants(CoordinatorEnvelope(term: 1, message: message).encoded())
        .compactMap { try? CoordinatorEnvelope(decoding: $0) }
    }
  }

  private static func variants(_ message: WireMessage) -> [WireMessage] {
    let header = message.frames[0].array(of: UInt8.self)
    return (ProtobufFields(header[...])?.extremes ?? []).map {
      WireMessage(frames: [Payload.copying($0)] + message.frames.dropFirst())
    }
  }

  private static let welcome = CoordinatorMessage.welcome(
    Welcome(
      runID: "run", generation: 1, rank: 3, configuration: "a",
      tables: [
        TableDescription(
          name: "user", rows: 10, width: 4, rowsPerBlock: 16, initializer: "normal",
          initializerValue: 0.1, rule: "average", ruleValue: 0.5)
      ], seed: 1, shardCount: 1, stepsPerEpoch: 1, roundsPerStep: 1, serverCount: 1,
      heartbeatInterval: 1, checkpoints: CheckpointPlan(folder: "/c", interval: 1),
      restored: RestoredCheckpoint(manifest: "m", version: 1)))

  @Test("of a welcome, by a worker that joins and by one that has joined")
  func welcomes() throws {
    let envelopes = Self.envelopes([Self.welcome])
    try #require(envelopes.count > 100)
    for envelope in envelopes {
      for start in [SessionRig(), try SessionRig.ready()] {
        var rig = start
        for action in rig.handle(.coordinator(envelope)) {
          guard case .setUp(let welcome) = action else { continue }
          // As in the worker's process.
          let routing = TableRouting(tables: [], serverCount: Int(welcome.serverCount))
          #expect(routing.serverCount > 0)
          rig.handle(.setUp(generation: welcome.generation))
        }
        rig.handle(SessionRig.servers())
        rig.handle(.tick, at: 1e6)
      }
    }
  }

  @Test("of all other messages of a coordinator")
  func otherLetters() throws {
    let envelopes = Self.envelopes([
      .servers(generation: 1, endpoints: ["tcp://a:1"]), .heartbeatAcknowledged(generation: 6),
      .finish(reason: "over", ending: .permanentFailure), .hold(generation: 1),
      .refused(Refusal(code: .clusterFull, message: "full", version: 1)),
      .checkpoint(generation: 1, version: 7), .checkpointAcknowledged(generation: 1, version: 7),
      .task(WorkerTask(id: 9, generation: 1, body: .rank(version: 1, epoch: 0, blocks: [0]))),
    ])
    for envelope in envelopes {
      var rig = try SessionRig.ready()
      rig.handle(.coordinator(envelope))
      rig.handle(.tick, at: 2)
    }
  }

  @Test(
    "of a task and of the servers' replies to it, by the computation",
    arguments: [Consistency.bulkSynchronous, .asynchronous])
  func tasks(_ consistency: Consistency) throws {
    let engine = try SmallRun(consistency: consistency).engine(serverCount: 1)
    let envelopes = Self.envelopes([
      .task(
        WorkerTask(
          id: 9, generation: 1,
          body: .train(epoch: 1, firstVersion: 8, startVersion: 9, shards: [1, 2]))),
      .task(WorkerTask(id: 9, generation: 1, body: .rank(version: 1, epoch: 1, blocks: [1]))),
      .task(
        WorkerTask(id: 9, generation: 1, body: .materialize(version: 1, epoch: 1, blocks: [0]))),
    ])
    let replies = try Self.replies()
    var begun = 0
    for envelope in envelopes {
      guard case .task(let task) = envelope.message, let work = try? engine.work(for: task),
        (try? work.advance(.begin)) != nil
      else { continue }
      begun += 1
      #expect(work.progress <= 1 << 62)
      // One answer is enough to end most of them; each is tried on the task as it was given.
      for reply in replies.prefix(begun == 1 ? replies.count : 3) {
        guard let work = try? engine.work(for: task) else { continue }
        _ = try? work.advance(.begin)
        _ = try? work.advance(reply)
        #expect(work.progress <= 1 << 62)
      }
    }
    #expect(begun > 0)
  }

  private static let rows = GradientRows(
    sections: [TableSection(table: 1, rowCount: 1, width: 1, isWhole: false)],
    keys: .copying([3] as [UInt32]), values: .copying([1] as [Float]))

  private static func replies() throws -> [WorkInput] {
    let bodies: [DataReplyBody] = [
      .pulled(
        PullReply(
          version: 9, sections: [], values: .empty,
          reports: [UnitReport(unit: 1, sums: ["loss.total": 1])])),
      .reduced(ReduceReply(values: [1], rows: Self.rows)),
      .refused(Refusal(code: .versionSuperseded, message: "gone", version: 9)),
    ]
    return bodies.flatMap { body in
      variants(DataReply(requestID: 1, body: body).encoded())
        .compactMap { try? DataReply(decoding: $0) }
    }.compactMap { reply in
      switch reply.body {
      case .pulled(let pulled): .pulled([pulled])
      case .reduced(let totals): .reduced([totals])
      case .refused(let refusal): .versionSuperseded(refusal.version)
      case .welcome, .pushed, .copied: nil
      }
    }
  }

  @Test("of the servers' replies, by the conversation")
  func answers() throws {
    let bodies: [DataReplyBody] = [
      .welcome, .pushed(.duplicate), .reduced(ReduceReply(values: [1, 2], rows: Self.rows)),
      .pulled(PullReply(version: 1, sections: [], values: .empty)),
      .refused(Refusal(code: .versionSuperseded, message: "gone", version: 9)),
    ]
    for body in bodies {
      var rig = try SessionRig.ready()
      rig.handle(SessionRig.task(5))
      let request = try #require(
        rig.requests(.advanced(task: 5, .pull([SessionRig.pull]))).first)
      let reply = DataReply(requestID: request.id, body: body)
      for variant in Self.variants(reply.encoded()) {
        guard let reply = try? DataReply(decoding: variant) else { continue }
        var copy = rig
        copy.handle(.reply(reply, server: 0))
        copy.handle(.tick, at: 100)
      }
    }
  }
}
