import Tensors

/// Rows of a graph in pieces of a limited number of edges, for products whose other factor is not
/// in memory: a piece names the rows of it that are needed.
///
/// A node's edges are in one piece if the limit allows, and otherwise in pieces of their own that
/// depend on the limit alone. So the order in which the terms of a row are added does not depend on
/// which rows are computed together.
public struct RowPieces<Graph: GraphRows>: Sequence, IteratorProtocol {
  /// One part of `y += M x`.
  public struct Piece: Sendable {
    /// The rows of x, ascending, each once.
    public let sources: [Int32]
    /// `[nodes, sources]`; rows of other pieces are empty.
    public let matrix: SparseMatrix
  }

  private let graph: Graph
  private let nodes: Range<Int>
  private let weight: Float
  private let limit: Int
  /// The next edge.
  private var node: Int
  private var position = 0

  /// - Parameters:
  ///   - nodes: the rows.
  ///   - weight: multiplies every edge.
  ///   - limit: edges of a piece.
  public init(of graph: Graph, nodes: Range<Int>, weight: Float = 1, limit: Int = 1 << 16) {
    precondition(limit > 0, "pieces of \(limit) edges")
    self.graph = graph
    self.nodes = nodes
    self.weight = weight
    self.limit = limit
    node = nodes.lowerBound
  }

  public mutating func next() -> Piece? {
    var offsets = [Int64](repeating: 0, count: nodes.count + 1)
    var neighbours: [Int32] = []
    var values: [Float] = []
    let first = node
    while node < nodes.upperBound {
      let degree = graph.degree(node)
      let end = degree > limit ? Swift.min(degree, position + limit) : degree
      if !neighbours.isEmpty, neighbours.count + end - position > limit { break }
      for place in position..<end {
        let edge = graph.neighbour(of: node, at: place)
        neighbours.append(edge.node)
        values.append(edge.weight * weight)
      }
      offsets[node - nodes.lowerBound + 1] = Int64(neighbours.count)
      position = end
      // The other edges of a large node are pieces of their own.
      if end < degree { break }
      let isLarge = degree > limit
      node += 1
      position = 0
      if isLarge { break }
    }
    guard node > first || !neighbours.isEmpty else { return nil }
    // Rows without edges end where the row before does.
    for row in 0..<nodes.count { offsets[row + 1] = Swift.max(offsets[row + 1], offsets[row]) }
    let distinct = DistinctIDs(neighbours)
    return Piece(
      sources: distinct.values,
      matrix: SparseMatrix(
        rows: nodes.count, columns: distinct.values.count, offsets: offsets,
        indices: distinct.index, values: values))
  }
}
