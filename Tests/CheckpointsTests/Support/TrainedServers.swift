import Checkpoints
import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

/// The servers of a run, trained with gradients that depend only on version and shard.
struct TrainedServers {
  static let shards: UInt32 = 2
  static let schedule = StepSchedule(stepsPerEpoch: 3, roundsPerStep: 2)
  static let small = [
    TableSpec(name: "user", rows: 90, width: 5, initializer: .normal(standardDeviation: 0.1)),
    TableSpec(
      name: "f", rows: 4, width: 3, initializer: .uniform(bound: 1),
      rule: .optimizer(.discriminator), rowsPerBlock: 1),
    TableSpec(
      name: "mean", rows: 3, width: 2, initializer: .constant(9), rule: .movingAverage(rate: 0.25),
      rowsPerBlock: 1),
    TableSpec(
      name: "final", rows: 9, width: 2, initializer: .uniform(bound: 1), rule: .assigned),
  ]
  /// More rows than are read at a time.
  static let large = [
    TableSpec(name: "item", rows: 5_000, width: 64, initializer: .uniform(bound: 0.1))
  ]

  let specs: [TableSpec]
  let kind: any RowOptimizer
  let moments: MomentPrecision
  let runID: String
  private(set) var servers: [ServerState<Int>] = []
  private var nextID: UInt64 = 1

  static func optimizer(
    _ kind: any RowOptimizer, _ moments: MomentPrecision = .float32
  ) -> OptimizerConfiguration {
    OptimizerConfiguration(
      kind, model: LearningRate(0.05, decay: 0.5, period: 1),
      discriminator: LearningRate(0.02), moments: moments)
  }

  init(
    _ specs: [TableSpec] = small, _ kind: any RowOptimizer = Adam(mode: .lazyExact),
    moments: MomentPrecision = .float32,
    servers count: Int = 2, runID: String = "run", generation: UInt64 = 1,
    restoring reader: CheckpointReader? = nil
  ) throws {
    self.specs = specs
    self.kind = kind
    self.moments = moments
    self.runID = runID
    for rank in 0..<count {
      let server: ServerState<Int>
      if let reader {
        server = try ServerState(
          rank: rank, serverCount: count, runID: runID, generation: generation, tables: specs,
          seed: 7, shardCount: Int(Self.shards), schedule: Self.schedule,
          optimizer: Self.optimizer(kind, moments), restoring: reader)
      } else {
        server = try ServerState(
          rank: rank, serverCount: count, runID: runID, generation: generation, tables: specs,
          seed: 7, shardCount: Int(Self.shards), schedule: Self.schedule,
          optimizer: Self.optimizer(kind, moments))
      }
      servers.append(server)
      ask(
        rank,
        .hello(DataHello(runID: runID, generation: generation, sender: "worker 0")))
    }
  }

  var version: UInt64 { servers[0].version }

  @discardableResult
  private mutating func ask(_ server: Int, _ body: DataRequestBody) -> DataReplyBody? {
    nextID += 1
    let replies = servers[server].answer(DataRequest(id: nextID, body: body), from: 0)
    #expect(servers[server].brokenInvariants == [])
    return replies.last?.reply.body
  }

  /// Trains until the tables have reached a version.
  mutating func train(to end: UInt64) {
    for version in version..<end {
      for shard in 0..<Self.shards { contribute(version, shard) }
      for server in servers.indices {
        ask(server, .pull(pull(version + 1, confirmed: Array(0..<Self.shards))))
      }
      #expect(servers.allSatisfy { $0.version == version + 1 })
    }
  }

  private mutating func contribute(_ version: UInt64, _ shard: UInt32) {
    var random = SeededGenerator(seed: version * 1_000 + UInt64(shard))
    var gradients: [(table: Int, rows: [UInt32: [Float]])] = []
    for (table, spec) in specs.enumerated()
    where Self.schedule.updates(spec.rule, atEndOf: version) {
      var rows: [UInt32: [Float]] = [:]
      for _ in 0..<6 {
        rows[UInt32.random(in: 0..<UInt32(spec.rows * 2 / 3), using: &random)] =
          random.values(spec.width)
      }
      gradients.append((table, rows))
    }
    let loss = Double.random(in: 0..<1, using: &random)
    for server in servers.indices {
      var sections: [TableSection] = []
      var keys: [UInt32] = []
      var values: [Float] = []
      for (table, rows) in gradients {
        let held = TablePlacement(specs[table], in: SlotMap(serverCount: servers.count))
          .rows(ofServer: server).filter { rows[$0] != nil }
        sections.append(
          TableSection(
            table: UInt32(table), rowCount: UInt32(held.count),
            width: UInt32(specs[table].width), isWhole: false))
        keys += held
        values += held.flatMap { rows[$0] ?? [] }
      }
      let push = PushRequest(
        name: ContributionName(
          generation: servers[server].generation, version: version, shard: shard),
        kind: .gradient, sections: sections, keys: .copying(keys), values: .copying(values),
        sums: server == 0 ? ["loss.a": loss] : [:])
      guard case .pushed(.accepted) = ask(server, .push(push)) else {
        Issue.record("push of shard \(shard) at version \(version)")
        return
      }
    }
  }

  private func pull(
    _ version: UInt64, confirmed: [UInt32], sections: [TableSection] = [],
    wantsReports: Bool = false
  ) -> PullRequest {
    PullRequest(
      generation: servers[0].generation, version: version, sections: sections, keys: .empty,
      confirmed: confirmed, wantsReports: wantsReports)
  }

  /// The bits of all rows as pulls return them, by table.
  mutating func bits() throws -> [[UInt32]] {
    var result = specs.map { [UInt32](repeating: 0, count: $0.rows * $0.width) }
    for server in servers.indices {
      let sections = specs.enumerated().map { table, spec in
        TableSection(
          table: UInt32(table), rowCount: 0, width: UInt32(spec.width), isWhole: true)
      }
      guard
        case .pulled(let reply) = ask(
          server, .pull(pull(version, confirmed: [], sections: sections)))
      else { throw CancellationError() }
      let values = reply.values.array(of: Float.self)
      var start = 0
      for (table, spec) in specs.enumerated() {
        let rows = TablePlacement(spec, in: SlotMap(serverCount: servers.count))
          .rows(ofServer: server)
        for row in rows {
          for column in 0..<spec.width {
            result[table][Int(row) * spec.width + column] = values[start + column].bitPattern
          }
          start += spec.width
        }
      }
    }
    return result
  }

  /// The sums of the epoch that has just ended.
  mutating func reports() -> [UnitReport]? {
    let pull = pull(version, confirmed: Array(0..<Self.shards), wantsReports: true)
    guard case .pulled(let reply) = ask(0, .pull(pull)) else { return nil }
    return reply.reports
  }

  /// Writes a checkpoint of the current version, and commits it by default.
  @discardableResult
  func save(in folder: String, commits: Bool = true) throws -> CheckpointManifest {
    try save(in: CheckpointStore(folder: folder), commits: commits)
  }

  /// Writes a checkpoint of the current version, and commits it by default.
  @discardableResult
  func save(in store: CheckpointStore, commits: Bool = true) throws -> CheckpointManifest {
    let writer = CheckpointShardWriter(store, configurationDigest: "c0ffee")
    let shards = try servers.map { try writer.write(try #require($0.snapshot())) }
    let manifest = try CheckpointManifest(
      runID: runID, schedule: Self.schedule, tables: specs.map(TableDescription.init),
      optimizer: Self.optimizer(kind, moments).description, shards: shards.reversed(),
      configuration: "model: made-up\n",
      configurationDigest: "c0ffee", dataDigest: "da7a",
      created: "2026-01-02T03:04:05Z")
    if commits { try store.commit(manifest) }
    return manifest
  }
}

extension CheckpointManifest {
  var restored: RestoredCheckpoint {
    RestoredCheckpoint(manifest: name.manifest, version: version)
  }

  /// The path of a server's file in the store.
  func path(ofRank rank: Int) -> String { "\(name.folder)/\(shards[rank].file)" }
}
