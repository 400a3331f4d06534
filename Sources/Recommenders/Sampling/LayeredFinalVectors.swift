import Datasets
import Tensors

/// Final vectors of both sides that are propagated exactly over a whole graph, layer by layer, a
/// block of nodes at a time: a layer's vectors are in tables, of which a block of the next layer
/// reads the rows of its neighbours, in pieces of limited size. So no process holds a whole table
/// or a matrix of the graph.
///
///     z_0 = x,  z_k = x + Â z_{k−1},  y = (x + Â z_{L−1}) / (L + 1)  (+ M x of items)
///
/// which is the mean over layers. Terms of a row are added in one order, whatever the blocks.
public struct LayeredFinalVectors: Sendable {
  /// D of the vectors.
  public let width: Int
  /// L.
  public let layers: Int
  /// The tables that hold x.
  public let tables: (user: Int, item: Int)
  private let userCount: Int
  private let itemCount: Int
  private let graph: @Sendable () -> InteractionGraph
  private let items: (@Sendable () -> SparseMatrix)?

  /// - Parameters:
  ///   - items: M, a graph of similar items, `[I, I]`; nil without one.
  ///   - graph: Â.
  /// - Precondition: at least one layer.
  public init(
    width: Int, layers: Int, tables: (user: Int, item: Int), userCount: Int, itemCount: Int,
    items: (@Sendable () -> SparseMatrix)? = nil,
    graph: @escaping @Sendable () -> InteractionGraph
  ) {
    precondition(layers > 0, "final vectors of \(layers) layers")
    self.width = width
    self.layers = layers
    self.tables = tables
    self.userCount = userCount
    self.itemCount = itemCount
    self.items = items
    self.graph = graph
  }

  /// Consecutive users or items.
  public struct Block: Sendable, Equatable {
    public let side: Side
    public let rows: Range<Int>

    public init(_ side: Side, _ rows: Range<Int>) {
      self.side = side
      self.rows = rows
    }
  }

  /// A part of a block's vectors: `matrix` times some rows.
  public struct Term: Sendable {
    /// The layer whose vectors are read; 0 is x.
    public let layer: Int
    /// Whose vectors are read.
    public let side: Side
    /// Their rows, ascending, each once.
    public let rows: [Int32]
    /// `[rows of the block, rows]`.
    public let matrix: SparseMatrix
  }

  /// The blocks of a layer, in their order.
  public func blocks(size: Int) -> [Block] {
    [(Side.user, userCount), (.item, itemCount)].flatMap { side, count in
      stride(from: 0, to: count, by: size).map { Block(side, $0..<min($0 + size, count)) }
    }
  }

  /// The parts of the vectors of a block, whose sum they are.
  ///
  /// - Parameter layer: k, from 1 to L.
  public func terms(_ block: Block, layer: Int) -> FlattenSequence<[AnySequence<Term>]> {
    let weight: Float = layer == layers ? 1 / Float(layers + 1) : 1
    let count = block.rows.count
    let own = Term(
      layer: 0, side: block.side, rows: block.rows.map { Int32(truncatingIfNeeded: $0) },
      matrix: SparseMatrix(
        rows: count, columns: count, offsets: (0...count).map { Int64($0) },
        indices: (0..<count).map { Int32($0) }, values: [Float](repeating: weight, count: count)))
    // Nodes are users, then items; the neighbours of a user are items.
    let (first, firstNeighbour) = block.side == .user ? (0, userCount) : (userCount, 0)
    let neighbours = RowPieces(
      of: graph(), nodes: first + block.rows.lowerBound..<first + block.rows.upperBound,
      weight: weight
    ).lazy.map { piece in
      Term(
        layer: layer - 1, side: block.side == .user ? .item : .user,
        rows: piece.sources.map { $0 - Int32(truncatingIfNeeded: firstNeighbour) },
        matrix: piece.matrix)
    }
    var parts = [AnySequence([own]), AnySequence(neighbours)]
    if block.side == .item, layer == layers, let items {
      parts.append(
        AnySequence(
          RowPieces(of: items(), nodes: block.rows).lazy.map { piece in
            Term(layer: 0, side: .item, rows: piece.sources, matrix: piece.matrix)
          }))
    }
    return parts.joined()
  }

  /// All final vectors, `[U, D]` and `[I, D]`, in memory, with the bits of an evaluation.
  ///
  /// - Parameters:
  ///   - users: x of the users, `[U, D]`.
  ///   - items: x of the items, `[I, D]`.
  public func compute(users: Matrix, items: Matrix) -> (user: Matrix, item: Matrix) {
    let initial = (user: users, item: items)
    var vectors = initial
    for layer in 1...layers {
      let next = (
        user: Matrix(rows: userCount, columns: width), item: Matrix(rows: itemCount, columns: width)
      )
      for block in blocks(size: 1 << 12) {
        let sum = Matrix(rows: block.rows.count, columns: width)
        sum.fill(0)
        for term in terms(block, layer: layer) {
          let source = term.layer == 0 ? initial : vectors
          term.matrix.multiply(
            (term.side == .user ? source.user : source.item).rows(term.rows), into: sum,
            adds: true)
        }
        let target = block.side == .user ? next.user : next.item
        withExtendedLifetime((sum, target)) {
          (target.pointer + block.rows.lowerBound * width)
            .update(from: sum.pointer, count: sum.count)
        }
      }
      vectors = next
    }
    return vectors
  }
}

extension Matrix {
  /// Copies of some rows.
  fileprivate func rows(_ rows: [Int32]) -> Matrix {
    let result = Matrix(rows: rows.count, columns: columns)
    for (position, row) in rows.enumerated() {
      _ = result.row(position).update(fromContentsOf: self.row(Int(row)))
    }
    return result
  }
}
