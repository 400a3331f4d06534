import Checkpoints
import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

@Suite("Checkpoints of data that grew")
struct GrownTablesTests {
  /// `TrainedServers.small` with ten more users, whose initial values the model computes, as it
  /// does for those that were there.
  private static let grown =
    [
      TableSpec(name: "user", rows: 100, width: 5, initializer: .normal(standardDeviation: 0.1))
    ] + TrainedServers.small.dropFirst()

  private static let kinds: [(any RowOptimizer, MomentPrecision)] = [
    (SGD(), .float32), (Adagrad(), .bfloat16), (Adam(mode: .dense), .float32),
    (Adam(mode: .lazyExact), .float32), (Adam(mode: .closed), .float32),
    (Adam(mode: .closed), .bfloat16),
  ]

  /// Writes the checkpoint of grown tables as that of another generation.
  private static func grow(
    _ manifest: CheckpointManifest, in folder: TemporaryFolder, _ kind: any RowOptimizer,
    _ moments: MomentPrecision, servers: Int, specs: [TableSpec] = grown
  ) throws -> CheckpointManifest {
    let store = folder.checkpoints
    let schedule = TrainedServers.schedule
    let earlier = GrownTables.Earlier(
      try CheckpointReader(manifest, in: store), schedule: manifest.schedule,
      rows: Dictionary(uniqueKeysWithValues: manifest.tables.map { ($0.name, $0.rows) }))
    let writer = CheckpointShardWriter(store, configurationDigest: "c0ffee")
    let generation = UInt64(10 + servers)
    let shards = try (0..<servers).map { rank in
      let tables = try GrownTables(
        rank: rank, serverCount: servers, tables: specs, seed: 7,
        shardCount: Int(TrainedServers.shards), optimizer: TrainedServers.optimizer(kind, moments),
        schedule: schedule, version: 2 * schedule.versionsPerEpoch, after: earlier
      ) { _, row, values in
        for index in values.indices { values[index] = Float(100 * row + index) }
      }
      return try writer.write(tables.snapshot(runID: "run", generation: generation))
    }
    let result = try CheckpointManifest(
      runID: "run", schedule: schedule, tables: specs.map(TableDescription.init),
      optimizer: TrainedServers.optimizer(kind, moments).description, shards: shards,
      configuration: "model: made-up\n", configurationDigest: "c0ffee", dataDigest: "more",
      created: "2026-01-02T03:04:05Z")
    try store.commit(result)
    return result
  }

  @Test(
    "known rows keep what a pull returns, new ones begin at their initial values; any servers",
    arguments: kinds)
  func rows(kind: any RowOptimizer, moments: MomentPrecision) throws {
    let folder = try TemporaryFolder()
    var before = try TrainedServers(TrainedServers.small, kind, moments: moments, servers: 2)
    before.train(to: 11)
    let manifest = try before.save(in: folder.path)
    let bits = try before.bits()
    var fresh = try TrainedServers(Self.grown, kind, moments: moments, servers: 1)
    let initial = try fresh.bits()
    fresh.train(to: 1)
    var later: [[UInt32]]?
    for servers in 1...3 {
      let grown = try Self.grow(manifest, in: folder, kind, moments, servers: servers)
      var restored = try TrainedServers(
        Self.grown, kind, moments: moments, servers: 4 - servers, generation: 20,
        restoring: try CheckpointReader(grown, in: folder.checkpoints))
      #expect(restored.version == 12)
      let found = try restored.bits()
      #expect(Array(found[0][..<450]) == bits[0] && Array(found[1...]) == Array(bits[1...]))
      #expect(found[0][450...] == initial[0][450...])
      restored.train(to: 19)
      let trained = try restored.bits()
      #expect(trained != found)
      if let later { #expect(trained == later) }
      later = trained
    }
    let latest = try folder.checkpoints.latestUsable(runID: "run", dataDigest: "da7a").manifest
    #expect(latest == manifest)
    #expect(
      try folder.checkpoints.latestUsable(runID: "run", dataDigest: "more").manifest?.version == 12)
  }

  @Test("initial values of new rows that the model computes, row by row")
  func computedValues() throws {
    let folder = try TemporaryFolder()
    var before = try TrainedServers(servers: 1)
    before.train(to: 6)
    let manifest = try before.save(in: folder.path)
    var specs = Self.grown
    specs[0] = TableSpec(name: "user", rows: 100, width: 5, initializer: .pushed)
    let grown = try Self.grow(
      manifest, in: folder, Adam(mode: .lazyExact), .float32, servers: 2, specs: specs)
    var restored = try TrainedServers(
      specs, servers: 1, generation: 20,
      restoring: try CheckpointReader(grown, in: folder.checkpoints))
    let found = try restored.bits()[0]
    let known = try before.bits()[0]
    #expect(Array(found[..<450]) == known)
    let computed: [UInt32] = (450..<500).map { index in
      Float(100 * (index / 5) + index % 5).bitPattern
    }
    #expect(Array(found[450...]) == computed)
  }

  @Test("a checkpoint of another optimizer, and one that lacks rows, are refused")
  func refused() throws {
    let folder = try TemporaryFolder()
    var before = try TrainedServers(servers: 1)
    before.train(to: 6)
    let manifest = try before.save(in: folder.path)
    let other = #expect(throws: ParameterServerError.self) {
      try Self.grow(manifest, in: folder, SGD(), .float32, servers: 1)
    }
    #expect(other?.message.contains("sgd (no state)") == true)
    let reader = try CheckpointReader(manifest, in: folder.checkpoints)
    let error = #expect(throws: ParameterServerError.self) {
      try GrownTables(
        rank: 0, serverCount: 1, tables: Self.grown, seed: 7, shardCount: 2,
        optimizer: TrainedServers.optimizer(Adam(mode: .lazyExact)),
        schedule: TrainedServers.schedule, version: 12,
        after: .init(reader, schedule: manifest.schedule, rows: ["user": 95])
      ) { _, _, _ in }
    }
    #expect(error?.message.contains("'user' lacks row 90") == true, "\(error?.message ?? "")")
  }
}
