import Datasets
import Tensors
import Testing

@Suite("batch sampling")
struct BatchSamplerTests {
  private let dataset: Dataset
  private let sampler: BatchSampler

  init() throws {
    dataset = try SmallData.random(users: 60, items: 40, seed: 5)
    sampler = BatchSampler(dataset: dataset, seed: 9, batchSize: 64)
  }

  private func epoch(_ epoch: Int, of sampler: BatchSampler) -> [TripletBatch] {
    (0..<sampler.stepsPerEpoch).map {
      sampler.batch(epoch: epoch, step: $0, shard: 0, shardCount: 1)
    }
  }

  @Test("an epoch visits every training interaction exactly once, the last batch being shorter")
  func visitsEveryInteraction() {
    let count = dataset.trainUsers.count
    #expect(count % 64 != 0 && sampler.stepsPerEpoch == count / 64 + 1)
    let batches = epoch(0, of: sampler)
    #expect(batches.map(\.count).dropLast().allSatisfy { $0 == 64 })
    #expect(batches.last?.count == count % 64 && batches.last?.globalCount == count % 64)
    let visited = batches.flatMap { zip($0.users, $0.positives).map { [$0, $1] } }
    let expected = zip(dataset.trainUsers, dataset.trainItems).map { [$0, $1] }
    #expect(visited.count == count && Set(visited) == Set(expected))
    #expect(visited != expected, "the order is that of the file")
  }

  @Test("a batch size that divides the interactions gives whole batches only")
  func dividesEvenly() throws {
    let pairs = (0..<12).map { (user: Int32($0), item: Int32($0)) }
    let dataset = try Dataset(name: "even", interactions: Interactions(train: pairs))
    let sampler = BatchSampler(dataset: dataset, seed: 1, batchSize: 4)
    #expect(epoch(0, of: sampler).map(\.count) == [4, 4, 4])
  }

  @Test("shards together are the same batch, whatever their number", arguments: 1...7)
  func shardsMakeTheBatch(shardCount: Int) {
    for step in [0, sampler.stepsPerEpoch - 1] {
      let whole = sampler.batch(epoch: 3, step: step, shard: 0, shardCount: 1)
      let shards = (0..<shardCount).map {
        sampler.batch(epoch: 3, step: step, shard: $0, shardCount: shardCount)
      }
      #expect(shards.flatMap(\.users) == whole.users)
      #expect(shards.flatMap(\.positives) == whole.positives)
      #expect(shards.flatMap(\.negatives) == whole.negatives)
      #expect(shards.allSatisfy { $0.globalCount == whole.count })
      let counts = shards.map(\.count)
      #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    }
  }

  @Test("a step with fewer triplets than shards leaves shards empty")
  func allowsEmptyShards() throws {
    let dataset = try Dataset(
      name: "two", interactions: Interactions(train: [(0, 0), (1, 1)]))
    let sampler = BatchSampler(dataset: dataset, seed: 1, batchSize: 8)
    let shards = (0..<5).map { sampler.batch(epoch: 0, step: 0, shard: $0, shardCount: 5) }
    #expect(shards.map(\.count).reduce(0, +) == 2 && shards.contains { $0.count == 0 })
    #expect(shards.allSatisfy { $0.globalCount == 2 })
  }

  @Test("negatives occur in training, but not with the same user")
  func drawsNegatives() {
    for batch in epoch(0, of: sampler) + epoch(1, of: sampler) {
      for (user, negative) in zip(batch.users, batch.negatives) {
        #expect(!dataset.train.contains(row: Int(user), column: negative))
        #expect(dataset.negativePool.contains(negative))
      }
    }
  }

  @Test("batches depend on the seed and the epoch, and on nothing else")
  func followsSeedAndEpoch() {
    let first = sampler.batch(epoch: 2, step: 1, shard: 0, shardCount: 1)
    let again = BatchSampler(dataset: dataset, seed: 9, batchSize: 64)
    #expect(again.batch(epoch: 2, step: 1, shard: 0, shardCount: 1) == first)
    #expect(sampler.batch(epoch: 3, step: 1, shard: 0, shardCount: 1) != first)
    let other = BatchSampler(dataset: dataset, seed: 10, batchSize: 64)
    #expect(other.batch(epoch: 2, step: 1, shard: 0, shardCount: 1) != first)
  }

  @Test("negatives are uniform over the items that the user does not have")
  func isUniform() throws {
    // User 0 has items 0 and 1; of the pool 0 … 9, eight are left. Item 10 is not in training.
    var train: [(user: Int32, item: Int32)] = [(0, 0), (0, 1)]
    train += (2..<10).map { (user: 1, item: $0) }
    let dataset = try Dataset(
      name: "uniform", interactions: Interactions(train: train, test: [(0, 10)]))
    let sampler = BatchSampler(dataset: dataset, seed: 3, batchSize: 10)
    var counts = [Int](repeating: 0, count: 11)
    let epochs = 8000
    for epoch in 0..<epochs {
      let batch = sampler.batch(epoch: epoch, step: 0, shard: 0, shardCount: 1)
      for (user, item) in zip(batch.users, batch.negatives) where user == 0 {
        counts[Int(item)] += 1
      }
    }
    #expect(counts[0] == 0 && counts[1] == 0 && counts[10] == 0)
    // 16,000 draws of 8 items: mean 2000, standard deviation 42.
    #expect(counts[2..<10].allSatisfy { abs($0 - 2000) < 210 }, "\(counts)")
  }

  @Test("a user with all but two items of a large pool gets both as negatives")
  func drawsExactlyWhenNearlyFull() throws {
    let items: Int32 = 4000
    var train = (0..<items - 2).map { (user: Int32(0), item: $0) }
    train += [(1, items - 2), (1, items - 1)]
    let dataset = try Dataset(name: "full", interactions: Interactions(train: train))
    let sampler = BatchSampler(dataset: dataset, seed: 3, batchSize: 5000)
    let batch = sampler.batch(epoch: 0, step: 0, shard: 0, shardCount: 1)
    let drawn = zip(batch.users, batch.negatives).filter { $0.0 == 0 }.map(\.1)
    let last = drawn.count { $0 == items - 1 }
    #expect(Set(drawn) == [items - 2, items - 1])
    // 3998 fair coins: mean 1999, standard deviation 32.
    #expect(abs(last - 1999) < 160, "\(last)")
  }
}
