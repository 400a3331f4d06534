import CostModel
import Datasets
import Runtime
import Testing

@Suite("Distinct rows of a batch") struct DistinctRowsTests {
  @Test("the expected numbers are the means of real batches", arguments: [1, 3])
  func expectation(shards: Int) throws {
    let dataset = try SmallData("vbpr", []).setup.dataset
    let sampler = BatchSampler(dataset: dataset, seed: 3, batchSize: 300)
    var (users, items) = (0.0, 0.0)
    let steps = sampler.stepsPerEpoch
    for step in 0..<steps {
      for shard in 0..<shards {
        let batch = sampler.batch(epoch: 0, step: step, shard: shard, shardCount: shards)
        users += Double(batch.distinctUsers.count)
        items += Double(batch.distinctItems.count)
      }
    }
    let count = Double(steps * shards)
    let expected = DistinctRows.meanOfEpoch(
      share: 1 / Double(shards), batchSize: 300, of: InteractionCounts(dataset))
    #expect(abs(expected.users / (users / count) - 1) < 0.01, "\(expected.users) \(users / count)")
    #expect(abs(expected.items / (items / count) - 1) < 0.015, "\(expected.items) \(items / count)")
    // Far fewer than three rows per triplet.
    #expect(expected.items < 0.95 * 2 * 300 / Double(shards))
  }

  @Test("a batch with all interactions has all users and all items of the pool")
  func everything() {
    let counts = InteractionCounts(
      users: [.init(degree: 2, count: 10)],
      items: [.init(degree: 5, count: 4), .init(degree: 0, count: 3)])
    let rows = DistinctRows(in: 20, of: counts)
    #expect(abs(rows.users - 10) < 1e-9 && abs(rows.items - 4) < 1e-9)
    #expect(DistinctRows(in: 0, of: counts) == DistinctRows(users: 0, items: 0))
  }

  @Test("laws have as many users, items and interactions as were asked for")
  func laws() {
    for popularity in [PopularityLaw.uniform, .zipf(exponent: 1)] {
      let counts = InteractionCounts(
        users: 1_000_000_000, items: 10_000_000, interactions: 5_000_000_000,
        popularity: popularity)
      #expect(abs(counts.userCount / 1e9 - 1) < 1e-9)
      #expect(abs(counts.itemCount / 1e7 - 1) < 1e-9)
      #expect(abs(counts.total / 5e9 - 1) < 1e-9)
      #expect(
        abs(counts.items.reduce(0) { $0 + $1.degree * $1.count } / 5e9 - 1) < 1e-6)
    }
  }

  @Test("popular items make batches with fewer distinct items")
  func popularity() {
    func items(_ law: PopularityLaw) -> Double {
      let counts = InteractionCounts(
        users: 100_000, items: 10_000, interactions: 800_000, popularity: law)
      return DistinctRows(in: 2048, of: counts).items
    }
    #expect(items(.zipf(exponent: 1)) < 0.9 * items(.uniform))
  }
}
