import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

@Suite("Sums over shards")
struct SumTests {
  @Test("gradients are added in shard order, in whatever order they come")
  func shardOrder() throws {
    // (1 + 2²⁴) - 2²⁴ is 0 in Float, 1 + (2²⁴ - 2²⁴) is 1, and the other orders are one of these.
    let big = Float(1 << 24)
    let gradients: [Float] = [1, big, -big]
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
      var cluster = try TestCluster(
        [TableSpec(name: "w", rows: 1, width: 1, initializer: .constant(0))], shards: 3)
      for shard in order {
        cluster.pushEverywhere([0: [0: [gradients[shard]]]], version: 0, shard: UInt32(shard))
      }
      #expect(try cluster.pullAll(version: 1) == [[-((1 + big) - big)]])
    }
    #expect((1 + big) - big != 1)  // the order is visible
  }

  @Test("shards may reach different rows, the same rows, or none")
  func mixedRows() throws {
    var cluster = try TestCluster(
      [TableSpec(name: "w", rows: 40, width: 2, initializer: .constant(0))], shards: 4)
    cluster.pushEverywhere([0: [3: [1, 1], 20: [1, 1]]], version: 0, shard: 0)
    cluster.pushEverywhere([:], version: 0, shard: 1)
    cluster.pushEverywhere([0: [20: [2, 4], 39: [1, 1]]], version: 0, shard: 2)
    cluster.pushEverywhere([0: [0: [8, 8], 20: [16, 32]]], version: 0, shard: 3)
    var expected = [Float](repeating: 0, count: 80)
    for (row, values) in [(0, [8, 8]), (3, [1, 1]), (20, [19, 37]), (39, [1, 1])]
      as [(Int, [Float])]
    {
      expected[row * 2] = -values[0]
      expected[row * 2 + 1] = -values[1]
    }
    #expect(try cluster.pullAll(version: 1) == [expected])
    #expect(cluster.servers[0].statistics.rowsUpdated == 4)
  }

  @Test("a whole section equals the same rows by key")
  func wholeSection() throws {
    let spec = TableSpec(name: "w", rows: 20, width: 3, initializer: .uniform(bound: 1))
    var random = SeededGenerator(seed: 1)
    let values = random.values(60)
    var byKey = try TestCluster([spec], kind: Adam())
    var whole = byKey
    byKey.pushEverywhere(
      [
        0: Dictionary(
          uniqueKeysWithValues: (0..<20).map { ($0, Array(values[$0 * 3..<$0 * 3 + 3])) })
      ],
      version: 0)
    let push = PushRequest(
      name: ContributionName(generation: 1, version: 0, shard: 0), kind: .gradient,
      sections: [TableSection(table: 0, rowCount: 20, width: 3, isWhole: true)], keys: .empty,
      values: .copying(values))
    #expect(pushOutcome(whole.send(.push(push)).first?.body) == .accepted)
    whole.confirm(version: 0)
    #expect(try byKey.pullAll(version: 1) == whole.pullAll(version: 1))
  }

  @Test(
    "the number of servers changes no bit",
    arguments: [
      SGD(), Adagrad(), RowwiseAdagrad(), Adam(mode: .dense), Adam(mode: .lazyExact),
      Adam(mode: .lazy), Adam(mode: .closed),
    ] as [any RowOptimizer])
  func serverCount(kind: any RowOptimizer) throws {
    let specs = [
      TableSpec(name: "user", rows: 500, width: 8, initializer: .normal(standardDeviation: 0.1)),
      TableSpec(
        name: "item", rows: 333, width: 20, initializer: .uniform(bound: 0.1), rowsPerBlock: 4),
      TableSpec(name: "w", rows: 20, width: 33, initializer: .linear(inputs: 33), rowsPerBlock: 20),
      TableSpec(
        name: "mean", rows: 1, width: 6, initializer: .constant(0),
        rule: .movingAverage(rate: 0.1)),
    ]
    var results: [[[UInt32]]] = []
    for servers in [1, 2, 3] {
      var random = SeededGenerator(seed: 3)
      var cluster = try TestCluster(
        specs, servers: servers, shards: 3, kind: kind,
        rate: LearningRate(0.1, decay: 0.5, period: 1))
      for version in 0..<UInt64(12) {
        for shard in 0..<UInt32(3) {
          var values: RowValues = [:]
          for (table, spec) in specs.enumerated() {
            for _ in 0..<30 {
              let row = Int.random(in: 0..<spec.rows, using: &random)
              values[table, default: [:]][row] = random.values(spec.width)
            }
          }
          cluster.pushEverywhere(values, version: version, shard: shard)
        }
      }
      results.append(try cluster.pullAll(version: 12).map { $0.map(\.bitPattern) })
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }

  @Test("a copy of the state is a snapshot: it keeps its rows while the original trains on")
  func snapshot() throws {
    var cluster = try TestCluster(
      [TableSpec(name: "w", rows: 5_000, width: 64, initializer: .uniform(bound: 1))],
      kind: Adam(mode: .lazyExact))
    cluster.pushEverywhere([0: [17: Array(repeating: 1, count: 64)]], version: 0)
    var snapshot = cluster
    let before = try cluster.pullAll(version: 1)
    cluster.pushEverywhere([0: [17: Array(repeating: 1, count: 64)]], version: 1)
    #expect(try snapshot.pullAll(version: 1) == before)
    #expect(try cluster.pullAll(version: 2) != before)
  }
}
