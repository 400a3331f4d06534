internal import Tensors

extension AdjacencyList {
  /// The row of every pair, in the order of ``columns``.
  var rowOfEachPair: [Int32] {
    (0..<rowCount).flatMap { row in repeatElement(Int32(row), count: degree(row)) }
  }

  /// Rows and columns exchanged.
  var transposed: AdjacencyList {
    let rows = rowOfEachPair
    return AdjacencyList(
      rowCount: columnCount, columnCount: rowCount,
      pairs: columns.indices.lazy.map { (columns[$0], rows[$0]) })
  }
}
