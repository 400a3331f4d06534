import Tensors

/// Some rows of a graph, each with all of its neighbours or a sample of them: one layer of a
/// neighbourhood.
///
/// A node with d neighbours gets `f = min(fan-out, d)` of them, drawn uniformly and each at most
/// once, and every one counts d / f times. So a neighbour is in the sample with probability f / d,
/// and the expectation of a row of the matrix is the graph's row. With a fan-out of at least d it
/// is that row.
///
/// - Source: Hamilton, Ying and Leskovec 2017, "Inductive representation learning on large graphs"
///   (GraphSAGE), arXiv:1706.02216, algorithm 2, which draws with repetitions where a node has
///   fewer neighbours, and averages; here weights are those of the graph.
public struct SampledRows: Sendable {
  /// The nodes whose rows these are.
  public let targets: [Int32]
  /// The neighbours, ascending, each once.
  public let sources: [Int32]
  /// `[targets, sources]`.
  public let matrix: SparseMatrix

  /// - Parameters:
  ///   - targets: each once.
  ///   - draw: how neighbours are chosen; nil keeps all of them.
  public init(of graph: some GraphRows, targets: [Int32], draw: NeighbourDraw?) {
    var offsets: [Int64] = [0]
    offsets.reserveCapacity(targets.count + 1)
    for target in targets {
      let degree = graph.degree(Int(target))
      offsets.append(offsets[offsets.count - 1] + Int64(draw?.count(of: degree) ?? degree))
    }
    let count = Int(offsets[targets.count])
    var neighbours = [Int32](repeating: 0, count: count)
    var values = [Float](repeating: 0, count: count)
    neighbours.withUnsafeMutableBufferPointer { neighbours in
      values.withUnsafeMutableBufferPointer { values in
        let (neighbours, values) = (neighbours, values)
        // A draw is some tens of operations.
        let cost = 64 * count / max(1, targets.count)
        Lanes.current.forEachRange(of: targets.count, elements: cost) { range in
          for index in range {
            let entries = Int(offsets[index])..<Int(offsets[index + 1])
            Self.fill(
              UnsafeMutableBufferPointer(rebasing: neighbours[entries]),
              UnsafeMutableBufferPointer(rebasing: values[entries]),
              of: Int(targets[index]), in: graph, draw: draw)
          }
        }
      }
    }
    let distinct = DistinctIDs(neighbours)
    self.targets = targets
    sources = distinct.values
    matrix = SparseMatrix(
      rows: targets.count, columns: distinct.values.count, offsets: offsets,
      indices: distinct.index, values: values)
  }

  /// Fills one row.
  private static func fill(
    _ neighbours: UnsafeMutableBufferPointer<Int32>, _ values: UnsafeMutableBufferPointer<Float>,
    of node: Int, in graph: some GraphRows, draw: NeighbourDraw?
  ) {
    let degree = graph.degree(node)
    let scale = neighbours.isEmpty ? 1 : Float(degree) / Float(neighbours.count)
    if let draw, neighbours.count < degree {
      draw.fill(neighbours, node: node, below: degree)
    } else {
      for position in neighbours.indices { neighbours[position] = Int32(position) }
    }
    for index in neighbours.indices {
      let entry = graph.neighbour(of: node, at: Int(neighbours[index]))
      neighbours[index] = entry.node
      values[index] = entry.weight * scale
    }
  }
}

/// The choice of some of a node's neighbours: a function of the random stream, the layer and the
/// node alone, so that every process that needs the node's row in a step draws the same.
public struct NeighbourDraw: Sendable {
  private let random: CounterRandom
  private let layer: Int
  private let fanOut: Int

  /// - Parameters:
  ///   - random: of a step.
  ///   - layer: names the draw; draws of different layers are independent.
  ///   - fanOut: neighbours of a node, at most.
  /// - Precondition: `layer` is at least 0, and `fanOut` from 1 to 2^20.
  public init(_ random: CounterRandom, layer: Int, fanOut: Int) {
    precondition(layer >= 0 && fanOut > 0 && fanOut <= 1 << 20, "fan-out \(fanOut)")
    self.random = random
    self.layer = layer
    self.fanOut = fanOut
  }

  /// How many neighbours of a node are chosen.
  package func count(of degree: Int) -> Int { min(fanOut, degree) }

  /// Fills `positions` with distinct numbers in `0 ..< degree`, ascending: every set of them is
  /// equally likely.
  ///
  /// - Source: Bentley and Floyd 1987, "Programming pearls: a sample of brilliance",
  ///   doi:10.1145/30401.315746.
  package func fill(
    _ positions: UnsafeMutableBufferPointer<Int32>, node: Int, below degree: Int
  ) {
    var words = SIMD4<UInt32>()
    for (index, last) in (degree - positions.count..<degree).enumerated() {
      // A call has the bits of two numbers.
      if index.isMultiple(of: 2) { words = random.words(id: node, index: layer << 20 | index / 2) }
      let bits =
        index.isMultiple(of: 2)
        ? UInt64(words.x) << 32 | UInt64(words.y) : UInt64(words.z) << 32 | UInt64(words.w)
      let drawn = Int(bits.multipliedFullWidth(by: UInt64(last + 1)).high)
      let place = Self.place(of: Int32(drawn), among: positions, count: index)
      // A number that was drawn before is replaced by the largest of the range, which was not.
      if place < index, positions[place] == Int32(drawn) {
        positions[index] = Int32(last)
      } else {
        for later in stride(from: index, to: place, by: -1) {
          positions[later] = positions[later - 1]
        }
        positions[place] = Int32(drawn)
      }
    }
  }

  /// The first place whose number is not below `number`.
  private static func place(
    of number: Int32, among positions: UnsafeMutableBufferPointer<Int32>, count: Int
  ) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if positions[middle] < number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
