import ParameterServer
import Tables
import Testing

@Suite("Setting up a server")
struct SetUpTests {
  private static let spec = TableSpec(name: "item", rows: 100, width: 4, initializer: .constant(0))

  private static func server(
    rank: Int = 0, of count: Int = 1, tables: [TableSpec] = [spec], shards: Int = 1,
    limits: ServerLimits = ServerLimits()
  ) throws -> ServerState<Int> {
    try ServerState(
      rank: rank, serverCount: count, runID: "run", generation: 1, tables: tables, seed: 1,
      shardCount: shards, schedule: StepSchedule(stepsPerEpoch: 1),
      optimizer: OptimizerConfiguration(
        Adam(), model: LearningRate(1), discriminator: LearningRate(1)), limits: limits)
  }

  @Test("ranks, server counts and shard counts out of range are refused")
  func ranges() {
    for (rank, count, shards) in [
      (1, 1, 1), (-1, 1, 1), (0, 0, 1), (0, 5000, 1), (0, 1, 0), (0, 1, 70_000),
    ] {
      let error = #expect(throws: ParameterServerError.self) {
        try Self.server(rank: rank, of: count, shards: shards)
      }
      #expect(error?.code == .configuration)
    }
  }

  @Test("two tables of one name are refused by name")
  func names() {
    let error = #expect(throws: ParameterServerError.self) {
      try Self.server(tables: [Self.spec, Self.spec])
    }
    #expect(error?.message.contains("'item'") == true)
  }

  @Test("tables above the memory limit are refused before they are made")
  func memory() throws {
    // 100 rows of 4 weights and 8 moments of 4 bytes.
    _ = try Self.server(limits: ServerLimits(tableBytes: 4800))
    let error = #expect(throws: ParameterServerError.self) {
      try Self.server(limits: ServerLimits(tableBytes: 4799))
    }
    #expect(error?.code == .limit && error?.message.contains("48 bytes") == true)
    let other = TableSpec(name: "user", rows: 100, width: 4, initializer: .constant(0))
    let second = #expect(throws: ParameterServerError.self) {
      try Self.server(tables: [Self.spec, other], limits: ServerLimits(tableBytes: 9599))
    }
    #expect(second?.code == .limit && second?.message.contains("'user' after 4800") == true)
    let huge = TableSpec(
      name: "huge", rows: Int(UInt32.max), width: 1 << 24, initializer: .constant(0),
      rowsPerBlock: 1 << 30)
    for rank in 0..<2 {
      let error = #expect(throws: ParameterServerError.self) {
        try Self.server(rank: rank, of: 2, tables: [huge])
      }
      #expect(error?.code == .limit && error?.message.contains("'huge'") == true)
    }
  }

  @Test("a run without tables has versions too")
  func empty() throws {
    var cluster = try TestCluster([])
    cluster.pushEverywhere([:], version: 0)
    #expect(cluster.servers[0].version == 1)
  }
}
