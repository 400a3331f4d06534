import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

/// Snapshots in memory; `CheckpointsTests` tests them in files.
@Suite("Snapshots and restoring them")
struct RestoreTests {
  private static let specs = [
    TableSpec(name: "user", rows: 90, width: 5, initializer: .normal(standardDeviation: 0.1)),
    TableSpec(name: "data", rows: 40, width: 3, initializer: .pushed, rowsPerBlock: 4),
    TableSpec(
      name: "f", rows: 4, width: 3, initializer: .uniform(bound: 1),
      rule: .optimizer(.discriminator), rowsPerBlock: 1),
    TableSpec(
      name: "mean", rows: 3, width: 2, initializer: .constant(9), rule: .movingAverage(rate: 0.25),
      rowsPerBlock: 1),
    TableSpec(name: "final", rows: 9, width: 2, initializer: .constant(0), rule: .assigned),
  ]
  private static let schedule = StepSchedule(stepsPerEpoch: 3, roundsPerStep: 2)

  private static func cluster(
    _ kind: any RowOptimizer, servers: Int, generation: UInt64 = 1,
    restoring source: (any CheckpointSource)? = nil
  ) throws -> TestCluster {
    try TestCluster(
      specs, servers: servers, shards: 2, generation: generation, kind: kind,
      rate: LearningRate(0.05, decay: 0.5, period: 1), discriminatorRate: LearningRate(0.02),
      schedule: schedule, restoring: source)
  }

  private static func train(
    _ versions: Range<UInt64>, in cluster: inout TestCluster
  ) throws {
    for version in versions {
      var random = SeededGenerator(seed: version)
      if version == 0 {
        let values = (0..<40).map { ($0, random.values(3)) }
        cluster.pushEverywhere(
          [1: Dictionary(uniqueKeysWithValues: values)], version: 0, kind: .assign)
      }
      for shard in 0..<UInt32(2) {
        var values: RowValues = [:]
        for (table, spec) in specs.enumerated()
        where schedule.updates(spec.rule, atEndOf: version) {
          for _ in 0..<4 {
            values[table, default: [:]][Int.random(in: 0..<spec.rows * 2 / 3, using: &random)] =
              random.values(spec.width)
          }
        }
        cluster.pushEverywhere(
          values, version: version, shard: shard,
          sums: ["loss.a": Double.random(in: 0..<1, using: &random)])
      }
      if version == 5 {
        cluster.pushEverywhere([4: [7: [1, 2]]], version: 6, kind: .assign)
      }
    }
  }

  private static func bits(_ cluster: inout TestCluster, _ version: UInt64) throws -> [[UInt32]] {
    try cluster.pullAll(version: version).map { $0.map(\.bitPattern) }
  }

  @Test(
    "training resumes with the bits of an undisturbed run",
    arguments: [
      SGD(), Adagrad(), RowwiseAdagrad(), Adam(mode: .dense), Adam(mode: .lazyExact),
      Adam(mode: .lazy), Adam(mode: .closed),
    ] as [any RowOptimizer], [1, 6, 10] as [UInt64])
  func goesOn(kind: any RowOptimizer, stop: UInt64) throws {
    var undisturbed = try Self.cluster(kind, servers: 2)
    try Self.train(0..<stop, in: &undisturbed)
    let source = try MemorySource(undisturbed)
    #expect(source.version == stop)
    try Self.train(stop..<18, in: &undisturbed)
    for servers in 1...3 {
      var restored = try Self.cluster(
        kind, servers: servers, generation: 2, restoring: source)
      #expect(restored.servers.allSatisfy { $0.version == stop })
      try Self.train(stop..<18, in: &restored)
      #expect(try Self.bits(&restored, 18) == Self.bits(&undisturbed, 18))
      let reports = restored.reports(of: [0, 1], version: 18)
      #expect(reports == undisturbed.reports(of: [0, 1], version: 18))
    }
  }

  @Test("after a restore at the end of an epoch, its sums can be requested")
  func epochEnd() throws {
    var original = try Self.cluster(SGD(), servers: 2)
    try Self.train(0..<6, in: &original)
    var restored = try Self.cluster(SGD(), servers: 3, restoring: try MemorySource(original))
    let reports = restored.reports(of: [0, 1], version: 6)
    #expect(reports == original.reports(of: [0, 1], version: 6))
    #expect(reports?.map(\.sums.count) == [1, 1])
  }

  @Test("contributions to the version of a snapshot are not part of it")
  func contributionsAreForgotten() throws {
    var cluster = try Self.cluster(SGD(), servers: 1)
    try Self.train(0..<2, in: &cluster)
    let pending = cluster.push([2: [0: [1, 1, 1]]], version: 2)
    cluster.send(.push(pending))
    var restored = try Self.cluster(SGD(), servers: 1, restoring: try MemorySource(cluster))
    #expect(pushOutcome(restored.send(.push(pending)).first?.body) == .accepted)
  }

  @Test("a snapshot keeps its rows while the server trains on")
  func isAValue() throws {
    var cluster = try Self.cluster(Adam(mode: .lazyExact), servers: 2)
    try Self.train(0..<4, in: &cluster)
    let before = try Self.bits(&cluster, 4)
    let source = try MemorySource(cluster)
    try Self.train(4..<9, in: &cluster)
    var restored = try Self.cluster(Adam(mode: .lazyExact), servers: 1, restoring: source)
    #expect(try Self.bits(&restored, 4) == before)
  }

  @Test("there is no snapshot before all initial values have arrived")
  func missingValues() throws {
    var cluster = try Self.cluster(SGD(), servers: 1)
    #expect(cluster.servers[0].snapshot() == nil)
    try Self.train(0..<1, in: &cluster)
    #expect(cluster.servers[0].snapshot() != nil)
  }

  @Test("a checkpoint that does not fit is refused with the table and the row")
  func damaged() throws {
    var cluster = try Self.cluster(Adam(mode: .lazyExact), servers: 2)
    try Self.train(0..<4, in: &cluster)
    let good = try MemorySource(cluster)
    var lacking = good
    lacking.snapshots.removeLast()
    var twice = good
    twice.snapshots.append(good.snapshots[0])
    var early = good
    early.version = 1  // the model's clock is at 0 then
    var late = good
    late.version = 1 << 40
    var foreign = good
    foreign.optimizer = RowwiseAdagrad().description
    var sums = good
    sums.epochSums.removeLast()
    for (source, words) in [
      (lacking, ["'user'", "lacks"]), (twice, ["'user'", "twice"]),
      (early, ["'user'", "at update", "only 0"]), (late, ["version \(1 << 40)"]),
      (foreign, ["rowwise_adagrad (sum)", "adam (exp_avg, exp_avg_sq, "]),
      (sums, ["of 1 shards", "into 2"]),
    ] {
      let error = #expect(throws: ParameterServerError.self) {
        try Self.cluster(Adam(mode: .lazyExact), servers: 1, restoring: source)
      }
      #expect(error?.code == .checkpoint)
      for word in words {
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
      }
    }
  }
}

struct MemorySource: CheckpointSource {
  var snapshots: [ServerSnapshot]
  var version: UInt64
  var optimizer: OptimizerDescription
  var epochSums: [UnitReport]

  init(_ cluster: TestCluster) throws {
    snapshots = try cluster.servers.map { try #require($0.snapshot()) }
    version = snapshots[0].version
    optimizer = snapshots[0].optimizer
    epochSums = snapshots[0].epochSums
  }

  func readRows(
    of table: TableShape, where isWanted: (UInt32) -> Bool, _ body: (StoredRows) throws -> Void
  ) throws {
    for snapshot in snapshots {
      let stored = try #require(snapshot.tables.first { $0.spec.name == table.name })
      #expect(stored.shape == table)
      var ids: [UInt32] = []
      stored.forEachRow { ids.append($0) }
      for position in ids.indices where isWanted(ids[position]) {
        var values = [Float](repeating: 0, count: table.layout.stride)
        try values.withUnsafeMutableBufferPointer { values in
          let base = try #require(values.baseAddress)
          let parts = table.layout.parts.map { UnsafeMutableRawPointer(base) + $0.offset }
          for (part, start) in parts.enumerated() {
            stored.copy(part: part, ofRowsAt: position..<position + 1, to: start)
          }
          try [stored.lastUpdate(at: position)].withUnsafeBufferPointer { updates in
            try ids[position...position].withUnsafeBufferPointer { ids in
              try body(
                StoredRows(
                  ids: ids, parts: parts.map { UnsafeRawPointer($0) },
                  lastUpdates: table.layout.tracksUpdates ? updates.baseAddress : nil))
            }
          }
        }
      }
    }
  }
}
