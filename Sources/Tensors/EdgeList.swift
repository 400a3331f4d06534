/// The edges of a graph, for propagation with weights that are not constant: the positions of a
/// sparse matrix's entries without their values.
///
/// An edge leads from a source (a column of the matrix) to a target (a row). Edges are numbered
/// target by target; weights are matrices `[edges, 1]` in that order.
public final class EdgeList: Sendable {
  public let targetCount: Int
  public let sourceCount: Int
  /// Where each target's edges begin; `targetCount + 1` numbers.
  public let offsets: [Int64]
  /// The target of each edge, ascending.
  public let targets: [Int32]
  /// The source of each edge, ascending within a target.
  public let sources: [Int32]
  /// The targets of the same edges, source by source.
  private let reverseTargets: [Int32]
  /// The numbers of the edges, source by source.
  private let reverseOrder: [Int32]
  private let targetBlocks: RowBlocks
  private let sourceBlocks: RowBlocks

  public var count: Int { sources.count }

  /// The edges of an adjacency matrix; its values are ignored.
  public init(_ matrix: SparseMatrix) {
    targetCount = matrix.rows
    sourceCount = matrix.columns
    offsets = matrix.offsets
    sources = matrix.indices
    var targets: [Int32] = []
    targets.reserveCapacity(matrix.entryCount)
    for row in 0..<matrix.rows {
      for _ in matrix.entries(ofRow: row) { targets.append(Int32(row)) }
    }
    self.targets = targets

    var starts = [Int64](repeating: 0, count: matrix.columns + 1)
    for source in matrix.indices { starts[Int(source) + 1] += 1 }
    for source in 0..<matrix.columns { starts[source + 1] += starts[source] }
    var next = starts
    var order = [Int32](repeating: 0, count: matrix.entryCount)
    for (edge, source) in matrix.indices.enumerated() {
      order[Int(next[Int(source)])] = Int32(edge)
      next[Int(source)] += 1
    }
    reverseTargets = order.map { targets[Int($0)] }
    reverseOrder = order
    targetBlocks = RowBlocks(offsets: matrix.offsets)
    sourceBlocks = RowBlocks(offsets: starts)
  }

  /// Calls `body` with consecutive targets that cover all, on all lanes if the work is worth it.
  func forEachTargets(_ body: (_ targets: Range<Int>) -> Void) {
    targetBlocks.forEach(width: 16, body)
  }

  /// The edges that lead to a target.
  public func edges(to target: Int) -> Range<Int> {
    Int(offsets[target])..<Int(offsets[target + 1])
  }

  /// `y[target] = Σ weight_e · x[source_e]` over the edges e of each target.
  ///
  /// - Parameters: weights `[edges, 1]`, x `[sources, D]`, y `[targets, D]`.
  public func multiply(_ weights: Matrix, _ x: Matrix, into y: Matrix) {
    precondition(
      weights.count == count && x.rows == sourceCount && y.rows == targetCount
        && x.columns == y.columns,
      "\(count) edges with weights \(weights.shape): \(x.shape) into \(y.shape)")
    targetBlocks.multiply(sources, weights.pointer, x, into: y)
  }

  /// `x[source] = Σ weight_e · y[target_e]` over the edges e of each source, or `x[source] += …`:
  /// the transposed product.
  ///
  /// - Parameter ordered: scratch space for the weights source by source, `[edges, 1]`.
  public func multiplyTransposed(
    _ weights: Matrix, _ y: Matrix, into x: Matrix, adds: Bool, ordered: Matrix
  ) {
    precondition(
      weights.count == count && ordered.count == count && x.rows == sourceCount
        && y.rows == targetCount && x.columns == y.columns,
      "\(count) edges with weights \(weights.shape): \(y.shape) back into \(x.shape)")
    Lanes.current.forEachRange(of: count) { range in
      for position in range {
        ordered.pointer[position] = weights.pointer[Int(reverseOrder[position])]
      }
    }
    sourceBlocks.multiply(reverseTargets, ordered.pointer, y, into: x, adds: adds)
  }
}
