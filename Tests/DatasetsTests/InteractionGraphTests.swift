import Datasets
import Tensors
import Testing

@Suite("graphs of interactions")
struct InteractionGraphTests {
  /// Two users, three items, interactions (0, 0), (0, 1), (1, 1), (1, 2).
  private func toy() throws -> GraphStore {
    GraphStore(
      try Dataset(
        name: "toy",
        interactions: Interactions(train: [(0, 0), (0, 1), (1, 1), (1, 2)])))
  }

  @Test("powers of the normalised graph of two users and three items, by hand")
  func toyPropagation() throws {
    let graph = try toy().adjacency(.exact)
    let x = Matrix(rows: 5, columns: 1, elements: [1, 2, 1, -1, 3])
    let (once, twice) = (Matrix(rows: 5, columns: 1), Matrix(rows: 5, columns: 1))
    graph.multiply(x, into: once)
    graph.multiply(once, into: twice)
    for (found, expected) in zip(once.elements, [0.207107, 1.621320, 0.707107, 1.5, 1.414214]) {
      #expect(abs(Double(found) - expected) < 2e-6)
    }
    for (found, expected) in zip(twice.elements, [1.25, 1.75, 0.146447, 0.914214, 1.146447]) {
      #expect(abs(Double(found) - expected) < 2e-6)
    }
  }

  @Test("the mean graph averages neighbours both ways, and isolated nodes have empty rows")
  func meanAdjacency() throws {
    let data = try GraphData.random(users: 20, items: 15, seed: 3)
    let graph = GraphStore(data).meanAdjacency()
    let train = data.train
    for user in 0..<20 {
      for item in 0..<15 {
        let isSet = train.contains(row: user, column: Int32(item))
        let users = (0..<20).count { train.contains(row: $0, column: Int32(item)) }
        let dense = Dense(graph)
        #expect(dense[user, 20 + item] == (isSet ? Double(1 / Float(train.degree(user))) : 0))
        #expect(dense[20 + item, user] == (isSet ? Double(1 / Float(users)) : 0))
      }
    }
    #expect(graph.entries(ofRow: 34).isEmpty, "the last item has no user")
  }

  @Test("guarded degrees differ from exact ones only by their 1e-7")
  func guardedDegrees() throws {
    let store = try toy()
    let guarded = Dense(store.userItem(.guarded))
    #expect(guarded.distance(to: Dense(store.userItem(.exact))) < 1e-6)
  }

  @Test(
    "the number of kept interactions is computed in double precision",
    arguments: [(100, 0.8, 19), (100, 0, 100), (118_551, 0.8, 23_710), (48, 0.5, 24), (3, 0.9, 0)])
  func keptCount(count: Int, dropout: Double, kept: Int) {
    #expect(InteractionSampling.keptCount(of: count, dropout: dropout) == kept)
  }

  @Test("a sample depends on seed and epoch alone")
  func sampleIsRepeatable() throws {
    let data = try GraphData.random(users: 60, items: 40, seed: 5)
    let first = GraphStore(data).sampledAdjacency(dropout: 0.8, seed: 7, epoch: 3)
    let other = GraphStore(data)
    _ = other.sampledAdjacency(dropout: 0.8, seed: 7, epoch: 2)
    #expect(first.isIdentical(to: other.sampledAdjacency(dropout: 0.8, seed: 7, epoch: 3)))
    for (seed, epoch) in [(7, 4), (8, 3)] {
      let changed = other.sampledAdjacency(dropout: 0.8, seed: UInt64(seed), epoch: epoch)
      #expect(!first.isIdentical(to: changed))
    }
    let kept = InteractionSampling.keptCount(of: data.train.columns.count, dropout: 0.8)
    #expect(first.entryCount == 2 * kept)
  }

  @Test("the first interaction is drawn with frequencies proportional to the weights")
  func firstDrawFollowsWeights() throws {
    // User 0 has 8 items, user 1 has one of them: weights from 1/√8 to 1/√2.
    let train = AdjacencyList(
      rowCount: 3, columnCount: 9,
      pairs: (0..<8).map { (Int32(0), Int32($0)) } + [(1, 0), (2, 0), (2, 8)])
    let sampling = InteractionSampling(train)
    let total = sampling.weights.reduce(0, +)
    var drawn = [Int](repeating: 0, count: sampling.weights.count)
    let epochs = 20_000
    for epoch in 0..<epochs {
      // 1 of 11.
      let kept = sampling.draw(dropout: 0.9, seed: 11, epoch: epoch)
      #expect(kept.count == 1)
      drawn[kept[0]] += 1
    }
    for (count, weight) in zip(drawn, sampling.weights) {
      let probability = weight / total
      let deviation = (Double(epochs) * probability * (1 - probability)).squareRoot()
      #expect(abs(Double(count) - Double(epochs) * probability) < 5 * deviation)
    }
  }

  @Test("drawing two without replacement has the distribution of successive draws")
  func secondDrawFollowsWeights() throws {
    let train = AdjacencyList(
      rowCount: 2, columnCount: 3, pairs: [(0, 0), (0, 1), (0, 2), (1, 0)])
    let sampling = InteractionSampling(train)
    let weights = sampling.weights
    let total = weights.reduce(0, +)
    var counts: [[Int]: Int] = [:]
    let epochs = 20_000
    for epoch in 0..<epochs {
      counts[sampling.draw(dropout: 0.5, seed: 2, epoch: epoch), default: 0] += 1
    }
    for first in 0..<4 {
      for second in first + 1..<4 {
        let (a, b) = (weights[first], weights[second])
        let probability = a / total * b / (total - a) + b / total * a / (total - b)
        let deviation = (Double(epochs) * probability * (1 - probability)).squareRoot()
        let count = Double(counts[[first, second]] ?? 0)
        #expect(abs(count - Double(epochs) * probability) < 5 * deviation)
      }
    }
  }
}
