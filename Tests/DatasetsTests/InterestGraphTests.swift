import Datasets
import Tensors
import TestSupport
import Testing

@Suite("graphs of interests")
struct InterestGraphTests {
  @Test(
    "random data: the same as comparing all pairs for all users",
    arguments: [(users: 30, items: 24, count: 3), (users: 700, items: 150, count: 5)])
  func interestsBruteForce(users: Int, items: Int, count: Int) throws {
    let data = try GraphData.random(users: users, items: items, seed: 29)
    let store = GraphStore(data)
    let expected = PlainGraphs.interests(data, count: count)
    for (modality, interests) in expected.enumerated() {
      let found = Dense(try store.interests(modality: modality, count: count))
      #expect(found.distance(to: interests) < 1e-6 * PlainGraphs.scale(of: interests))
      let similarities = PlainGraphs.cosines(data.features[modality])
      let graph = try store.interestGraph(modality: modality, count: count, neighbours: 4)
      let nearest = PlainGraphs.largest(of: similarities, count: 4)
      let sum = PlainGraphs.normalizedByRowSums(interests, raisingTo: 1e-7).plus(
        PlainGraphs.normalizedByRowSums(nearest, raisingTo: 1e-7))
      #expect(Dense(graph).distance(to: sum) < 1e-5 * PlainGraphs.scale(of: sum))
    }
  }

  @Test(
    "random data: second-order weights are the same as sorting all products of a user",
    arguments: [(users: 30, items: 24, extra: 2), (users: 60, items: 700, extra: 5)])
  func secondOrderBruteForce(users: Int, items: Int, extra: Int) throws {
    let data = try GraphData.random(users: users, items: items, seed: 31)
    let expected = PlainGraphs.secondOrder(data, extra: extra)
    let found = Dense(try GraphStore(data).secondOrderProducts(extra: extra))
    #expect(found.distance(to: expected) < 1e-6)
  }

  @Test("equal products of a user rank by the smaller own item, then by the smaller other item")
  func secondOrderTies() throws {
    // User 0 has items 0 and 1, which are similar; k = 3 takes both items themselves and, of the
    // two equal products of the pair, that of row 0 and column 1.
    let features = Matrix(rows: 3, columns: 2, elements: [1, 0, 0.8, 0.6, -1, 0.1])
    let data = try Dataset(
      name: "ties", interactions: Interactions(train: [(0, 0), (0, 1), (1, 2)]),
      features: [FeatureMatrix(name: "visual", matrix: features)])
    let weights = Dense(try GraphStore(data).secondOrderProducts(extra: 1))
    #expect(abs(weights[0, 0] - 1) < 1e-6 && abs(weights[0, 1] - 1.8) < 1e-6)
  }

  @Test("users whose items all lack a modality may like no items by it")
  func nothingByAMissingModality() throws {
    // User 1 has item 3 alone, which has no text; items 0 and 2 have the smallest ids.
    let visual = Matrix(
      rows: 5, columns: 2, elements: [1, 0, 0.9, 0.1, 0.8, 0.2, 0, 1, 0.1, 0.9])
    let text = Matrix(rows: 5, columns: 2, elements: [1, 0, 0, 1, 1, 1, 5, 5, 2, 1])
    func interests(mask: [Bool]?) throws -> Dense {
      let data = try Dataset(
        name: "toy", interactions: Interactions(train: [(0, 0), (0, 1), (1, 3), (0, 2), (2, 4)]),
        features: [
          FeatureMatrix(name: "visual", matrix: visual),
          FeatureMatrix(name: "text", matrix: text, mask: mask.map(FeatureMask.init)),
        ])
      return Dense(try GraphStore(data).interests(modality: 0, count: 2))
    }
    let found = try interests(mask: [true, true, true, false, true])
    // By what it shows the user may like items 3 and 4, and by a text nothing.
    #expect((0..<3).allSatisfy { found[3, $0] == 0 })
    #expect(found[3, 3] > 0 && found[3, 4] > 0)
  }

  @Test("the number of products is at most the number of items")
  func secondOrderIsCapped() throws {
    let data = try GraphData.random(users: 12, items: 9, seed: 2)
    let expected = PlainGraphs.secondOrder(data, extra: 50)
    let found = Dense(try GraphStore(data).secondOrderProducts(extra: 50))
    #expect(found.distance(to: expected) < 1e-6)
  }

  @Test("the faithful graph also exists with more items than users")
  func moreItemsThanUsers() throws {
    let data = try GraphData.random(users: 6, items: 20, seed: 4)
    let graphs = try GraphStore(data).secondOrder(extra: 2)
    #expect(graphs.userItem.values.allSatisfy { $0.isFinite && $0 > 0 })
    #expect(graphs.userItem.indices == graphs.fixedUserItem.indices)
    let (faithful, fixed) = (Dense(graphs.userItem), Dense(graphs.fixedUserItem))
    for user in 0..<6 {
      for item in 6..<20 { #expect(faithful[user, item] == fixed[user, item]) }
    }
    #expect(faithful.distance(to: fixed) > 1e-3, "items below 6 have the degrees of users")
  }
}
