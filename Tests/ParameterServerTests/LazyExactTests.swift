import ParameterServer
import Tables
import TestSupport
import Testing

@Suite("lazyExact Adam")
struct LazyExactTests {
  private static let specs = [
    TableSpec(name: "user", rows: 60, width: 5, initializer: .normal(standardDeviation: 0.1)),
    TableSpec(name: "item", rows: 30, width: 32, initializer: .uniform(bound: 0.1)),
    TableSpec(
      name: "f", rows: 4, width: 3, initializer: .uniform(bound: 1),
      rule: .optimizer(.discriminator)),
  ]

  private static func cluster(_ mode: Adam.Mode, rounds: Int, servers: Int) throws -> TestCluster {
    try TestCluster(
      specs, servers: servers, shards: 2, kind: Adam(mode: mode),
      rate: LearningRate(0.05, decay: 0.3, period: 2), discriminatorRate: LearningRate(0.02),
      schedule: StepSchedule(stepsPerEpoch: 7, roundsPerStep: rounds))
  }

  /// Gradients of a few rows; most rows wait many steps, and some are never touched.
  private static func gradient(_ random: inout SeededGenerator, isLastRound: Bool) -> RowValues {
    var result: RowValues = [:]
    for (table, spec) in specs.enumerated() where isLastRound || table == 2 {
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        let row = Int.random(in: 0..<spec.rows * 2 / 3, using: &random)
        result[table, default: [:]][row] = random.values(spec.width)
      }
    }
    return result
  }

  @Test(
    "has the bits of dense Adam under any pattern of pushes and pulls",
    arguments: [1, 2, 3] as [UInt64], [1, 3])
  func equalsDense(seed: UInt64, rounds: Int) throws {
    var random = SeededGenerator(seed: seed)
    var dense = try Self.cluster(.dense, rounds: rounds, servers: 1)
    var exact = try Self.cluster(.lazyExact, rounds: rounds, servers: 2)
    for version in 0..<UInt64(150) {
      for shard in 0..<UInt32(2) {
        let gradient = Self.gradient(&random, isLastRound: Int(version) % rounds == rounds - 1)
        dense.pushEverywhere(gradient, version: version, shard: shard)
        exact.pushEverywhere(gradient, version: version, shard: shard)
      }
      if Int.random(in: 0..<10, using: &random) == 0 {
        let (left, right) = (
          try dense.pullAll(version: version + 1), try exact.pullAll(version: version + 1)
        )
        #expect(left.map { $0.map(\.bitPattern) } == right.map { $0.map(\.bitPattern) })
      }
    }
    let (left, right) = (try dense.pullAll(version: 150), try exact.pullAll(version: 150))
    #expect(left.map { $0.map(\.bitPattern) } == right.map { $0.map(\.bitPattern) })
  }

  @Test("reading a row does not change what comes later")
  func readingIsNeutral() throws {
    var random = SeededGenerator(seed: 9)
    var often = try Self.cluster(.lazyExact, rounds: 1, servers: 1)
    var once = often
    for version in 0..<UInt64(80) {
      for shard in 0..<UInt32(2) {
        let gradient = Self.gradient(&random, isLastRound: true)
        often.pushEverywhere(gradient, version: version, shard: shard)
        once.pushEverywhere(gradient, version: version, shard: shard)
      }
      _ = try often.pullAll(version: version + 1)
    }
    #expect(try often.pullAll(version: 80) == once.pullAll(version: 80))
  }
}
