import Datasets
import Tensors
import Testing

/// Draws of neighbours, and rows of graphs that are made of them.
@Suite struct NeighbourSampleTests {
  private let data: Dataset
  private let graph: InteractionGraph
  private let adjacency: SparseMatrix

  init() throws {
    data = try GraphData.random(users: 40, items: 25, seed: 3)
    let store = GraphStore(data)
    graph = store.interactionGraph(.guarded)
    adjacency = store.adjacency(.guarded)
  }

  private func draw(
    _ fanOut: Int, layer: Int = 0, step: Int = 0, seed: UInt64 = 5
  ) -> NeighbourDraw {
    NeighbourDraw(
      CounterRandom(seed: seed, stream: .neighbourSample, epoch: 1, step: step), layer: layer,
      fanOut: fanOut)
  }

  private func positions(_ draw: NeighbourDraw, node: Int, below degree: Int) -> [Int32] {
    var positions = [Int32](repeating: -1, count: draw.count(of: degree))
    positions.withUnsafeMutableBufferPointer { draw.fill($0, node: node, below: degree) }
    return positions
  }

  @Test("every set of neighbours is equally likely")
  func uniform() {
    var counts: [[Int32]: Int] = [:]
    let draws = 20_000
    for node in 0..<draws { counts[positions(draw(3), node: node, below: 6), default: 0] += 1 }
    #expect(counts.count == 20, "the sets of 3 of 6")
    let expected = Double(draws) / 20
    for (set, count) in counts {
      #expect(set == Array(Set(set)).sorted() && set.allSatisfy { $0 >= 0 && $0 < 6 })
      #expect(abs(Double(count) - expected) < 5 * (expected * 0.95).squareRoot(), "\(set)")
    }
  }

  @Test("large draws are distinct numbers in range, ascending")
  func large() {
    for (fanOut, degree) in [(200, 201), (500, 100_000), (7, 8), (1, 2)] {
      let drawn = positions(draw(fanOut), node: 9, below: degree)
      #expect(drawn.count == fanOut)
      #expect(zip(drawn, drawn.dropFirst()).allSatisfy { $0 < $1 })
      #expect(drawn.first.map { $0 >= 0 } == true && drawn.last.map { $0 < degree } == true)
    }
  }

  @Test("a draw is a function of seed, step, layer and node alone")
  func keys() {
    func drawn(layer: Int = 0, step: Int = 0, seed: UInt64 = 5, node: Int = 1) -> [Int32] {
      positions(draw(8, layer: layer, step: step, seed: seed), node: node, below: 1000)
    }
    #expect(drawn() == drawn())
    for other in [drawn(layer: 1), drawn(step: 1), drawn(seed: 6), drawn(node: 2)] {
      #expect(drawn() != other)
    }
  }

  @Test("rows with few neighbours are the graph's to the bit")
  func exactRows() {
    let targets = (0..<Int32(graph.nodeCount)).filter { $0.isMultiple(of: 3) }
    for draw in [draw(1000), nil] {
      let rows = SampledRows(of: graph, targets: targets, draw: draw)
      for (row, target) in targets.enumerated() {
        let own = rows.matrix.entries(ofRow: row)
        let whole = adjacency.entries(ofRow: Int(target))
        #expect(
          own.map { rows.sources[Int(rows.matrix.indices[$0])] }
            == whole.map {
              adjacency.indices[$0]
            })
        #expect(own.map { rows.matrix.values[$0] } == whole.map { adjacency.values[$0] })
      }
    }
  }

  @Test("the mean of many samples of a row is the row")
  func unbiasedRows() {
    let node = (0..<graph.nodeCount).max { graph.degree($0) < graph.degree($1) } ?? 0
    let degree = graph.degree(node)
    #expect(degree > 6)
    let draws = 4000
    var sums = [Double](repeating: 0, count: graph.nodeCount)
    for step in 0..<draws {
      let rows = SampledRows(of: graph, targets: [Int32(node)], draw: draw(4, step: step))
      #expect(rows.matrix.entryCount == 4)
      for (column, value) in zip(rows.matrix.indices, rows.matrix.values) {
        sums[Int(rows.sources[Int(column)])] += Double(value)
      }
    }
    for entry in adjacency.entries(ofRow: node) {
      let weight = Double(adjacency.values[entry])
      let mean = sums[Int(adjacency.indices[entry])] / Double(draws)
      // The value is w d / f with probability f / d.
      let deviation = weight * ((Double(degree) / 4 - 1) / Double(draws)).squareRoot()
      #expect(abs(mean - weight) < 5 * deviation)
    }
  }

  @Test("FREEDOM's sample of an epoch has the same rows in both forms")
  func epochGraph() {
    let store = GraphStore(data)
    let matrix = store.sampledAdjacency(dropout: 0.4, seed: 3, epoch: 2)
    let rows = store.sampledInteractionGraph(dropout: 0.4, seed: 3, epoch: 2)
    for node in 0..<rows.nodeCount {
      let entries = matrix.entries(ofRow: node)
      #expect(rows.degree(node) == entries.count)
      for (position, entry) in entries.enumerated() {
        let neighbour = rows.neighbour(of: node, at: position)
        #expect(neighbour.node == matrix.indices[entry])
        #expect(neighbour.weight == matrix.values[entry])
      }
    }
  }

  @Test("the kept interactions are those with the largest numbers, however many there are")
  func keptInteractions() throws {
    let large = try GraphData.random(users: 700, items: 300, seed: 8).train
    for list in [large, data.train] {
      let sampling = InteractionSampling(list)
      for dropout in [0, 0.01, 0.5, 0.8, 0.999] {
        let drawn = sampling.draw(dropout: dropout, seed: 4, epoch: 6)
        let count = InteractionSampling.keptCount(of: list.columns.count, dropout: dropout)
        #expect(drawn.count == count && drawn == Array(Set(drawn)).sorted())
        // Fewer are kept of more: the numbers themselves do not depend on how many.
        let more = sampling.draw(dropout: dropout / 2, seed: 4, epoch: 6)
        #expect(Set(more).isSuperset(of: drawn))
      }
    }
  }

  @Test("pieces of rows add up to the product, with the same bits whatever the rows")
  func pieces() {
    let x = Matrix(rows: graph.nodeCount, columns: 5)
    for index in 0..<x.count { x.pointer[index] = Float((index * 37) % 101) / 50 - 1 }
    let whole = Matrix(rows: graph.nodeCount, columns: 5)
    adjacency.multiply(x, into: whole)
    func product(limit: Int, blockSize: Int) -> [Float] {
      stride(from: 0, to: graph.nodeCount, by: blockSize).flatMap { start -> [Float] in
        let nodes = start..<min(start + blockSize, graph.nodeCount)
        let sum = Matrix(rows: nodes.count, columns: 5)
        sum.fill(0)
        for piece in RowPieces(of: graph, nodes: nodes, limit: limit) {
          #expect(piece.matrix.entryCount <= limit)
          let rows = Matrix(rows: piece.sources.count, columns: 5)
          for (position, source) in piece.sources.enumerated() {
            _ = rows.row(position).update(fromContentsOf: x.row(Int(source)))
          }
          piece.matrix.multiply(rows, into: sum, adds: true)
        }
        return withExtendedLifetime(sum) { Array(sum.elements) }
      }
    }
    for limit in [1, 5, 17, 1000] {
      let expected = product(limit: limit, blockSize: graph.nodeCount)
      withExtendedLifetime(whole) {
        for (found, value) in zip(expected, whole.elements) { #expect(abs(found - value) < 1e-5) }
      }
      for blockSize in [1, 7, 33] {
        #expect(product(limit: limit, blockSize: blockSize) == expected)
      }
    }
  }
}
