import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("graphs of nearest items")
struct ItemNeighbourTests {
  @Test("four items with known angles, by hand")
  func toy() throws {
    let store = GraphStore(try GraphData.items([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]]))
    let weighted = try store.itemNeighbours(modality: 0, count: 2, weighting: .weighted)
    #expect(weighted.indices == [0, 1, 1, 3, 2, 3, 1, 3])
    let expected: [Float] = [
      0.555556, 0.425918, 0.510204, 0.489796, 0.555556, 0.425918, 0.489796, 0.510204,
    ]
    for (found, value) in zip(weighted.values, expected) { #expect(abs(found - value) < 1e-6) }
    let unweighted = try store.itemNeighbours(modality: 0, count: 2, weighting: .unweighted)
    #expect(unweighted.indices == weighted.indices)
    #expect(unweighted.values.allSatisfy { abs($0 - 0.5) < 1e-7 })
  }

  @Test(
    "random items: the same as comparing all pairs, across blocks and tiles",
    arguments: [(items: 37, count: 5), (items: 1300, count: 10), (items: 12, count: 50)])
  func bruteForce(items: Int, count: Int) throws {
    let data = try GraphData.random(users: 40, items: items, seed: 17)
    let store = GraphStore(data)
    for modality in 0..<2 {
      let similarities = PlainGraphs.cosines(data.features[modality])
      let selected = PlainGraphs.largest(of: similarities, count: count)
      let weighted = try store.itemNeighbours(
        modality: modality, count: count, weighting: .weighted)
      let expected = PlainGraphs.normalizedByRowSums(selected)
      #expect(Dense(weighted).distance(to: expected) < 1e-5 * PlainGraphs.scale(of: expected))
      let unweighted = try store.itemNeighbours(
        modality: modality, count: count, weighting: .unweighted)
      let share = 1 / Double(min(count, items))
      #expect(
        Dense(unweighted).distance(to: selected.map { $0 != 0 ? share : 0 }) < 1e-6)
    }
  }

  @Test("of items with equal features the smaller id comes first")
  func tiesGoToSmallerIDs() throws {
    // Rows of 1,100 columns of which many are equal: their products may round differently.
    let width = 1100
    let base = (0..<width).map { Float(($0 * 7919) % 1009) / 1009 - 0.3 }
    let items = (0..<40).map { item in item % 2 == 0 ? base : base.map { -$0 * Float(item) } }
    let store = GraphStore(try GraphData.items(items))
    let graph = try store.itemNeighbours(modality: 0, count: 4, weighting: .unweighted)
    for item in stride(from: 0, to: 40, by: 2) {
      #expect(graph.entries(ofRow: item).map { graph.indices[$0] } == [0, 2, 4, 6])
    }
  }

  @Test("an item with zero features has similarity and weight 0")
  func zeroRows() throws {
    let store = GraphStore(
      try GraphData.items([[0, 0], [1, 0.5], [1, 0.4], [-1, 0.1], [1, 0]]))
    let graph = try store.itemNeighbours(modality: 0, count: 2, weighting: .weighted)
    #expect(graph.values.allSatisfy { $0.isFinite })
    let row = graph.entries(ofRow: 0)
    #expect(row.map { graph.indices[$0] } == [0, 1] && row.allSatisfy { graph.values[$0] == 0 })
  }

  @Test("precomputed neighbours of the same number are used; weights come from the features")
  func givenNeighbours() throws {
    let features: [[Float]] = [[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]]
    let lists = try NeighbourLists(path: "given", count: 2, items: [2, 0, 1, 0, 2, 1, 3, 2])
    let store = GraphStore(try GraphData.items(features, neighbours: [lists]))
    let given = try store.itemNeighbours(modality: 0, count: 2, weighting: .weighted)
    #expect(given.indices == [0, 2, 0, 1, 1, 2, 2, 3])
    // Row sums 1, 1.8, 1.6 and 1.8.
    let expected: [Double] = [
      1, 0, 0.8 / 1.8.squareRoot(), 1 / 1.8, 0.6 / (1.6 * 1.8).squareRoot(), 1 / 1.6,
      0.8 / (1.8 * 1.6).squareRoot(), 1 / 1.8,
    ]
    for (found, value) in zip(given.values, expected) {
      #expect(abs(Double(found) - value) < 1e-6)
    }
    let own = GraphStore(try GraphData.items(features))
    let three = try store.itemNeighbours(modality: 0, count: 3, weighting: .weighted)
    #expect(
      three.isIdentical(
        to: try own.itemNeighbours(modality: 0, count: 3, weighting: .weighted)),
      "another number of neighbours is computed")
  }

  @Test("a modality that was not loaded is reported with advice")
  func missingModality() throws {
    let data = try Dataset(name: "plain", interactions: Interactions(train: [(0, 0), (1, 1)]))
    let error = #expect(throws: GraphError.self) {
      try GraphStore(data).itemNeighbours(modality: 1, count: 2, weighting: .weighted)
    }
    let message = error.map { "\($0)" } ?? ""
    for part in ["modality 1", "'plain'", "none", "Add feature files"] {
      #expect(message.contains(part), "\(message)")
    }
  }
}
