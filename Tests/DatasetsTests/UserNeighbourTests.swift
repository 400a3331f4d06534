import Datasets
import Tensors
import Testing

@Suite("graphs of users who share items")
struct UserNeighbourTests {
  private func sharedItems(_ data: Dataset, _ first: Int, _ second: Int) -> Int {
    Set(data.train[first]).intersection(data.train[second]).count
  }

  @Test("weights are the softmax over the nearest users, of equal counts the smaller id")
  func bruteForce() throws {
    let data = try GraphData.random(users: 50, items: 30, seed: 8)
    let graph = Dense(GraphStore(data).userNeighbours(count: 6, padding: .none))
    for user in 0..<50 {
      let others = (0..<50).filter { $0 != user && sharedItems(data, user, $0) > 0 }
      let nearest = others.sorted {
        (sharedItems(data, user, $1), $0) < (sharedItems(data, user, $0), $1)
      }.prefix(6)
      let powers = nearest.map { exponential(sharedItems(data, user, $0)) }
      let total = powers.reduce(0, +)
      var expected = [Double](repeating: 0, count: 50)
      for (other, power) in zip(nearest, powers) { expected[other] = power / total }
      for other in 0..<50 { #expect(abs(graph[user, other] - expected[other]) < 1e-6) }
    }
  }

  private func exponential(_ count: Int) -> Double {
    (0..<count).reduce(1) { product, _ in product * 2.718281828459045 }
  }

  @Test("padding keeps the neighbours, repeats each a whole number of times, and fills K")
  func padding() throws {
    // Users 0 to 3 share item 0 alone; user 4 shares nothing.
    let data = try Dataset(
      name: "shared",
      interactions: Interactions(
        train: [(0, 0), (1, 0), (2, 0), (3, 0), (4, 1), (0, 2), (1, 3), (2, 4), (3, 5)]))
    let store = GraphStore(data)
    for epoch in 0..<20 {
      let graph = store.userNeighbours(count: 10, padding: .urn(seed: 1, epoch: epoch))
      for user in 0..<4 {
        let values = graph.entries(ofRow: user).map { Double(graph.values[$0]) * 10 }
        #expect(values.count == 3 && abs(values.reduce(0, +) - 10) < 1e-5)
        #expect(values.allSatisfy { $0 > 0.9 && abs($0 - $0.rounded()) < 1e-5 })
      }
      #expect(graph.entries(ofRow: 4).isEmpty)
    }
  }

  @Test("an urn that begins with two neighbours ends with every division equally often")
  func urnIsUniform() throws {
    // A Pólya urn with one ball of each of two colours: after 4 draws, 1 to 5 balls of the first
    // colour are equally likely.
    let data = try Dataset(
      name: "urn",
      interactions: Interactions(train: [(0, 0), (1, 0), (2, 0), (0, 1), (1, 2), (2, 3)]))
    let store = GraphStore(data)
    var counts = [Int](repeating: 0, count: 7)
    let epochs = 5_000
    for epoch in 0..<epochs {
      let graph = store.userNeighbours(count: 6, padding: .urn(seed: 3, epoch: epoch))
      counts[Int((graph.values[0] * 6).rounded())] += 1
    }
    #expect(counts[0] == 0 && counts[6] == 0)
    for balls in 1...5 { #expect(abs(counts[balls] - epochs / 5) < 150) }
  }

  @Test("padding depends on seed and epoch alone, and is redrawn every epoch")
  func paddingIsRepeatable() throws {
    let data = try GraphData.random(users: 50, items: 60, seed: 9)
    let first = GraphStore(data).userNeighbours(count: 40, padding: .urn(seed: 5, epoch: 2))
    let other = GraphStore(data)
    #expect(
      first.isIdentical(to: other.userNeighbours(count: 40, padding: .urn(seed: 5, epoch: 2))))
    #expect(
      !first.isIdentical(to: other.userNeighbours(count: 40, padding: .urn(seed: 5, epoch: 3))))
    #expect(
      !first.isIdentical(to: other.userNeighbours(count: 40, padding: .urn(seed: 6, epoch: 2))))
  }

  @Test("with enough neighbours nothing is drawn")
  func paddingChangesNothing() throws {
    let data = try GraphData.random(users: 200, items: 10, seed: 9)
    let store = GraphStore(data)
    let plain = store.userNeighbours(count: 5, padding: .none)
    #expect(plain.isIdentical(to: store.userNeighbours(count: 5, padding: .urn(seed: 1, epoch: 1))))
  }
}
