import ParameterServer
import Protocol
import Tables
import Testing

@Suite("A server session in ssp and async")
struct StaleSessionTests {
  private var session = ServerSession<Int>(
    hello: NodeHello(
      role: .server, incarnation: 1, runID: "", dataEndpoint: "tcp://s:1", host: "here",
      processID: 1), at: 0)
  private var nextID: UInt64 = 0

  /// A server with one row and two shards, that writes every second version.
  private init() throws {
    let spec = TableSpec(name: "item", rows: 1, width: 1, initializer: .constant(0))
    welcome(generation: 1)
    let state = try ServerState<Int>(
      rank: 0, serverCount: 1, runID: "run", generation: 1, tables: [spec], seed: 1,
      shardCount: 2, schedule: StepSchedule(stepsPerEpoch: 20),
      optimizer: OptimizerConfiguration(
        SGD(), model: LearningRate(1), discriminator: LearningRate(1)),
      consistency: .staleSynchronous(bound: 8))
    _ = session.handle(.prepared(state), at: 0)
    request(.hello(DataHello(runID: "run", generation: 1, sender: "worker 0")))
  }

  private mutating func welcome(generation: UInt64) {
    let welcome = Welcome(
      runID: "run", generation: generation, rank: 0, configuration: "",
      tables: [], seed: 1, shardCount: 2, stepsPerEpoch: 20, roundsPerStep: 1, serverCount: 1,
      heartbeatInterval: 1, checkpoints: CheckpointPlan(folder: "/checkpoints", interval: 2))
    receive(.welcome(welcome))
  }

  @discardableResult
  private mutating func receive(_ message: CoordinatorMessage) -> [ServerSessionAction<Int>] {
    session.handle(.coordinator(CoordinatorEnvelope(term: 1, message: message)), at: 0)
  }

  @discardableResult
  private mutating func request(_ body: DataRequestBody) -> [ServerSessionAction<Int>] {
    nextID += 1
    return session.handle(.request(DataRequest(id: nextID, body: body), from: 0), at: 0)
  }

  /// A gradient of 1.
  @discardableResult
  private mutating func push(_ version: UInt64, _ shard: UInt32) -> [ServerSessionAction<Int>] {
    request(
      .push(
        PushRequest(
          name: ContributionName(generation: 1, version: version, shard: shard), kind: .gradient,
          sections: [TableSection(table: 0, rowCount: 1, width: 1, isWhole: true)], keys: .empty,
          values: .copying([1 as Float]))))
  }

  private func written(_ actions: [ServerSessionAction<Int>]) -> [UInt64] {
    actions.compactMap { action in
      if case .writeCheckpoint(let snapshot) = action { snapshot.version } else { nil }
    }
  }

  private mutating func finishWriting(_ version: UInt64) -> [ServerSessionAction<Int>] {
    session.handle(
      .checkpointWritten(
        CheckpointShard(
          generation: 1, version: version, rank: 0, file: "f", byteCount: 1, digest: "d")), at: 0)
  }

  @Test("counts are kept over generations, and printed with the reasons of refusals")
  func statistics() throws {
    var server = try StaleSessionTests()
    server.push(0, 0)
    server.push(0, 0)
    server.push(3000, 0)
    server.welcome(generation: 2)
    #expect(server.session.state == nil)
    let text = "\(server.session.statistics)"
    #expect(text.contains("pushes applied: 1, 0.0 MB; repeated ones: 1;"), "\(text)")
    #expect(text.hasSuffix("requests refused: 1 malformed"), "\(text)")
    server.push(0, 0)
    #expect("\(server.session.statistics)".hasSuffix("1 malformed, 1 while tables were prepared"))
    #expect("\(ServerStatistics())".hasSuffix("requests refused: none"))
  }

  @Test("when several versions are complete, a due one is written before the next begins")
  func dueVersion() throws {
    var server = try StaleSessionTests()
    for version in 0..<4 as Range<UInt64> { server.push(version, 0) }
    for version in 1..<4 as Range<UInt64> { server.push(version, 1) }
    #expect(server.session.state?.version == 0)
    let actions = server.push(0, 1)
    // Version 4 becomes due while 2 is being written.
    #expect(server.written(actions) == [2])
    #expect(server.session.state?.version == 4)
    #expect(server.written(server.finishWriting(2)) == [])
    for version in 4..<7 as Range<UInt64> {
      server.push(version, 0)
      // After the slow write every second due version is skipped.
      #expect(server.written(server.push(version, 1)) == [])
    }
    server.push(7, 0)
    #expect(server.written(server.push(7, 1)) == [8])
  }

  @Test("when the run stops, a server that is behind catches up with the others, and writes")
  func stop() throws {
    var server = try StaleSessionTests()
    for version in 0..<5 as Range<UInt64> { server.push(version, 0) }
    server.push(0, 1)
    let held = server.receive(.hold(generation: 1)).contains { action in
      if case .send(.held(generation: 1, version: 1)) = action { true } else { false }
    }
    #expect(held)
    server.push(1, 1)
    #expect(server.session.state?.version == 1)
    // Another server is at 5: its contributions are on their way to this one.
    #expect(server.written(server.receive(.checkpoint(generation: 1, version: 5))) == [2])
    #expect(server.session.state?.version == 2)
    for version in 2..<6 as Range<UInt64> { server.push(version, 1) }
    server.push(5, 0)
    #expect(server.session.state?.version == 5)
    #expect(server.written(server.finishWriting(2)) == [5])
  }
}
