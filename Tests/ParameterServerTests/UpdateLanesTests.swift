import ParameterServer
import Tables
import Tensors
import TestSupport
import Testing

@Suite("Updates of tables on lanes")
struct UpdateLanesTests {
  /// Several blocks of rows in the first two tables, one in the third.
  private static let specs = [
    TableSpec(name: "user", rows: 9000, width: 64, initializer: .normal(standardDeviation: 0.1)),
    TableSpec(name: "wide", rows: 300, width: 2000, initializer: .uniform(bound: 0.1)),
    TableSpec(name: "bias", rows: 1, width: 64, initializer: .constant(0)),
  ]

  /// All rows of all tables after some steps with gradients of many rows.
  private static func train(
    _ optimizer: some RowOptimizer, _ moments: MomentPrecision = .float32, lanes: Int
  ) throws -> [[UInt32]] {
    try Lanes.$ofScope.withValue(Lanes(count: lanes)) {
      var random = SeededGenerator(seed: 3)
      var cluster = try TestCluster(
        specs, servers: 1, shards: 2, kind: optimizer, rate: LearningRate(0.05),
        discriminatorRate: LearningRate(0.02), moments: moments,
        schedule: StepSchedule(stepsPerEpoch: 4, roundsPerStep: 1))
      for version in 0..<UInt64(4) {
        for shard in 0..<UInt32(2) {
          var gradient: RowValues = [:]
          for (table, spec) in specs.enumerated() {
            // Every third row; in the third step, the first rows only.
            let end = version == 2 ? min(5, spec.rows) : spec.rows
            for row in stride(from: Int(shard) % spec.rows, to: end, by: 3) {
              gradient[table, default: [:]][row] = random.values(spec.width)
            }
          }
          cluster.pushEverywhere(gradient, version: version, shard: shard)
        }
        // Reading replays missed steps.
        if version == 1 { _ = try cluster.pullAll(version: version + 1) }
      }
      return try cluster.pullAll(version: 4).map { $0.map(\.bitPattern) }
    }
  }

  @Test("have the same bits for any number of lanes", arguments: [2, 3, 5])
  func sameBits(lanes: Int) throws {
    for mode in [Adam.Mode.lazyExact, .closed, .dense, .lazy] {
      let optimizer = Adam(mode: mode)
      #expect(
        try Self.train(optimizer, lanes: lanes) == Self.train(optimizer, lanes: 1),
        "\(optimizer.mode)")
    }
    for optimizer in [Adam(mode: .closed), Adagrad()] as [any RowOptimizer] {
      #expect(
        try Self.train(optimizer, .bfloat16, lanes: lanes)
          == Self.train(optimizer, .bfloat16, lanes: 1), "\(optimizer.description.name)")
    }
    #expect(try Self.train(SGD(), lanes: lanes) == Self.train(SGD(), lanes: 1))
  }
}
