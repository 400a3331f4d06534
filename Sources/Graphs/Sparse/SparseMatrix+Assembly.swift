public import Tensors

extension SparseMatrix {
  /// 1 wherever the list has a pair.
  convenience init(ones list: AdjacencyList) {
    self.init(
      rows: list.rowCount, columns: list.columnCount, offsets: list.offsets.map { Int64($0) },
      indices: list.columns, values: [Float](repeating: 1, count: list.columns.count))
  }

  /// `[N, N]` over users, then items: one block above the diagonal and one below.
  ///
  /// - Precondition: the blocks are `[U, I]` and `[I, U]`.
  convenience init(userToItem: SparseMatrix, itemToUser: SparseMatrix) {
    precondition(
      userToItem.rows == itemToUser.columns && userToItem.columns == itemToUser.rows,
      "blocks [\(userToItem.rows), \(userToItem.columns)] and [\(itemToUser.rows), "
        + "\(itemToUser.columns)]")
    let nodes = userToItem.rows + userToItem.columns
    let firstItem = Int32(userToItem.rows)
    let above = Int64(userToItem.entryCount)
    self.init(
      rows: nodes, columns: nodes,
      offsets: userToItem.offsets + itemToUser.offsets.dropFirst().map { above + $0 },
      indices: userToItem.indices.map { firstItem + $0 } + itemToUser.indices,
      values: userToItem.values + itemToUser.values)
  }

  /// `Σ_t weight_t · matrix_t`; an entry for every place that one of the matrices has.
  ///
  /// - Precondition: there is a matrix, and all have the same shape.
  public static func sum(_ terms: [(weight: Float, matrix: SparseMatrix)]) -> SparseMatrix {
    precondition(!terms.isEmpty, "sum of no matrices")
    let (rows, columns) = (terms[0].matrix.rows, terms[0].matrix.columns)
    precondition(
      terms.allSatisfy { $0.matrix.rows == rows && $0.matrix.columns == columns },
      "sum of matrices of different shapes")
    var sum = CompressedRows(columns: columns)
    var totals = [Float](repeating: 0, count: columns)
    var isPresent = [Bool](repeating: false, count: columns)
    for row in 0..<rows {
      var present: [Int32] = []
      for (weight, matrix) in terms {
        for entry in matrix.entries(ofRow: row) {
          let column = matrix.indices[entry]
          if !isPresent[Int(column)] {
            isPresent[Int(column)] = true
            totals[Int(column)] = 0
            present.append(column)
          }
          totals[Int(column)] += weight * matrix.values[entry]
        }
      }
      present.sort()
      for column in present {
        sum.append(column, totals[Int(column)])
        isPresent[Int(column)] = false
      }
      sum.endRow()
    }
    return sum.matrix()
  }
}
