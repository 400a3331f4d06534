import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

/// Every number of every message to a server, at its extremes: refused
/// by the decoder, or handled by everything behind it. A number that traps ends this process.
@Suite struct ExtremeNumberTests {
  private static func variants(_ message: WireMessage) -> [WireMessage] {
    let header = message.frames[0].array(of: UInt8.self)
    return (ProtobufFields(header[...])?.extremes ?? []).map {
      WireMessage(frames: [Payload.copying($0)] + message.frames.dropFirst())
    }
  }

  private static let spec = TableSpec(
    name: "user", rows: 10, width: 2, initializer: .constant(1), rowsPerBlock: 1)

  private static let bodies: [DataRequestBody] = {
    let listed = TableSection(table: 0, rowCount: 1, width: 2, isWhole: false)
    let whole = TableSection(table: 0, rowCount: 10, width: 2, isWhole: true)
    let name = ContributionName(generation: 1, version: 1, shard: 1)
    let key = Payload.copying([3] as [UInt32])
    return [
      .hello(DataHello(runID: "run", generation: 1, sender: "worker 0")),
      .pull(
        PullRequest(generation: 1, version: 1, sections: [whole], keys: .empty, confirmed: [1])),
      .pull(
        PullRequest(
          generation: 1, version: 2, sections: [listed], keys: key, confirmed: [0, 1],
          wantsReports: true)),
      .push(
        PushRequest(
          name: name, kind: .gradient, sections: [listed], keys: key,
          values: .copying([1, 2] as [Float]), sums: ["loss.total": 1])),
      .push(
        PushRequest(
          name: name, kind: .assign, sections: [listed], keys: key,
          values: .copying([1, 2] as [Float]))),
      .reduce(ReduceRequest(name: name, values: [1])),
    ]
  }()

  @Test(
    "of a worker's requests",
    arguments: [Consistency.bulkSynchronous, .staleSynchronous(bound: 2), .asynchronous])
  func requests(_ consistency: Consistency) throws {
    var cluster = try TestCluster([Self.spec], shards: 2, consistency: consistency)
    for shard: UInt32 in 0...1 {
      cluster.send(
        .push(
          PushRequest(
            name: ContributionName(generation: 1, version: 0, shard: shard), kind: .gradient,
            sections: [], keys: .empty, values: .empty)))
    }
    cluster.confirm([0, 1], version: 0)
    try #require(cluster.servers[0].version == 1)
    var accepted = 0
    for body in Self.bodies {
      for variant in Self.variants(DataRequest(id: 1, body: body).encoded()) {
        guard let request = try? DataRequest(decoding: variant) else { continue }
        accepted += 1
        var copy = cluster
        copy.send(request.body, id: min(request.id, 1 << 62))
        // And everything behind it.
        copy.confirm([0, 1], version: 1)
      }
    }
    #expect(accepted > 100)
  }

  private static let envelopes: [CoordinatorMessage] = [
    .welcome(
      Welcome(
        runID: "run", generation: 1, rank: 0, configuration: "a",
        tables: [TableDescription(spec)], seed: 1, shardCount: 2, stepsPerEpoch: 3,
        roundsPerStep: 2, serverCount: 1, heartbeatInterval: 1,
        checkpoints: CheckpointPlan(folder: "/c", interval: 2),
        restored: RestoredCheckpoint(manifest: "m", version: 1))),
    .hold(generation: 1), .checkpoint(generation: 1, version: 3),
    .checkpointAcknowledged(generation: 1, version: 3), .heartbeatAcknowledged(generation: 1),
    .refused(Refusal(code: .helloNeeded, message: "hello", version: 1)),
  ]

  @Test("of a coordinator's messages")
  func envelopes() throws {
    var prepared = 0
    for message in Self.envelopes {
      let encoded = CoordinatorEnvelope(term: 1, message: message).encoded()
      for variant in [encoded] + Self.variants(encoded) {
        guard let envelope = try? CoordinatorEnvelope(decoding: variant) else { continue }
        var session = ServerSession<Int>(
          hello: NodeHello(
            role: .server, incarnation: 7, runID: "", dataEndpoint: "tcp://a:1", host: "here",
            processID: 1), at: 0)
        if case .welcome = message {
          prepared += try Self.prepare(&session, session.handle(.coordinator(envelope), at: 0))
        } else {
          let welcome = CoordinatorEnvelope(term: 1, message: Self.envelopes[0])
          prepared += try Self.prepare(&session, session.handle(.coordinator(welcome), at: 0))
          _ = session.handle(.coordinator(envelope), at: 1)
        }
        Self.push(to: &session)
        _ = session.handle(.tick, at: 1e6)
      }
    }
    #expect(prepared > 100)
  }

  /// Handles a welcome like the server's process.
  ///
  /// - Returns: how many servers could be made.
  private static func prepare(
    _ session: inout ServerSession<Int>, _ actions: [ServerSessionAction<Int>]
  ) throws -> Int {
    var count = 0
    for action in actions {
      guard case .prepare(let welcome) = action else { continue }
      let state = try? ServerState<Int>(
        rank: Int(welcome.rank), serverCount: Int(welcome.serverCount), runID: welcome.runID,
        generation: welcome.generation, tables: welcome.tables.map { try TableSpec($0) },
        seed: welcome.seed, shardCount: Int(welcome.shardCount),
        schedule: StepSchedule(
          stepsPerEpoch: Int(welcome.stepsPerEpoch), roundsPerStep: Int(welcome.roundsPerStep)),
        optimizer: OptimizerConfiguration(
          SGD(), model: LearningRate(1), discriminator: LearningRate(1)),
        limits: ServerLimits(tableBytes: 1 << 16))
      guard let state else { continue }
      _ = session.handle(.prepared(state), at: 0)
      count += 1
    }
    return count
  }

  /// Completes a version, so that numbers of versions have an effect.
  private static func push(to session: inout ServerSession<Int>) {
    guard let state = session.state else { return }
    let generation = state.generation
    let bodies: [DataRequestBody] =
      [.hello(DataHello(runID: state.runID, generation: generation, sender: "worker 0"))]
      + (0..<UInt32(min(state.shardCount, 4))).map { shard in
        .push(
          PushRequest(
            name: ContributionName(generation: generation, version: 0, shard: shard),
            kind: .gradient, sections: [], keys: .empty, values: .empty))
      } + [
        .pull(
          PullRequest(
            generation: generation, version: 1, sections: [], keys: .empty,
            confirmed: Array(0..<UInt32(min(state.shardCount, 4)))))
      ]
    for (index, body) in bodies.enumerated() {
      _ = session.handle(.request(DataRequest(id: UInt64(index), body: body), from: 1), at: 0)
    }
  }
}
