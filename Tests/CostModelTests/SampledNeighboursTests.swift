import CostModel
import Datasets
import Runtime
import Tensors
import TestSupport
import Testing

@Suite("Rows of a sampled neighbourhood") struct SampledNeighboursTests {
  @Test(
    "the expected numbers are those of neighbours that are really drawn", arguments: [[3], [4, 2]])
  func drawn(fanOuts: [Int]) throws {
    let dataset = try SmallData("vbpr", []).setup.dataset
    let counts = InteractionCounts(dataset)
    var users: [[Int]] = Array(repeating: [], count: dataset.itemCount)
    for (user, item) in zip(dataset.trainUsers, dataset.trainItems) {
      users[Int(item)].append(Int(user))
    }
    var generator = SeededGenerator(seed: 4)
    let sampler = BatchSampler(dataset: dataset, seed: 3, batchSize: 40)
    let steps = 60
    var (userSum, itemSum) = (0, 0)
    for step in 0..<steps {
      let batch = sampler.batch(epoch: 0, step: step, shard: 0, shardCount: 1)
      var layerUsers = Set(batch.distinctUsers.map { Int($0) })
      var layerItems = Set(batch.distinctItems.map { Int($0) })
      var (allUsers, allItems) = (layerUsers, layerItems)
      for fanOut in fanOuts {
        let nextItems = Set(
          layerUsers.flatMap { user in
            dataset.train[user].map { Int($0) }.shuffled(using: &generator).prefix(fanOut)
          })
        let nextUsers = Set(
          layerItems.flatMap { users[$0].shuffled(using: &generator).prefix(fanOut) })
        (layerUsers, layerItems) = (nextUsers, nextItems)
        allUsers.formUnion(nextUsers)
        allItems.formUnion(nextItems)
      }
      userSum += allUsers.count
      itemSum += allItems.count
    }
    let expected = SampledNeighbours(fanOuts: fanOuts).rows(in: 40, of: counts)
    let (meanUsers, meanItems) = (Double(userSum) / 60, Double(itemSum) / 60)
    #expect(abs(expected.users / meanUsers - 1) < 0.1, "\(expected.users) \(meanUsers)")
    #expect(abs(expected.items / meanItems - 1) < 0.1, "\(expected.items) \(meanItems)")
  }

  @Test("they do not grow with the number of users, where whole tables do")
  func flat() {
    func rows(_ users: Int) -> Double {
      let counts = InteractionCounts(
        users: users, items: users / 10, interactions: 8 * users, popularity: .zipf(exponent: 0.5))
      return SampledNeighbours(fanOuts: [5, 5]).rows(in: 1024, of: counts).users
    }
    #expect(rows(100_000_000) < 1.3 * rows(10_000_000))
    #expect(rows(10_000_000) < 40 * 1024 * 3)
  }
}
