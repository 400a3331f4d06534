import Tensors

extension SparseMatrix {
  /// 1 wherever the list has a pair.
  convenience init(ones list: AdjacencyList) {
    self.init(
      rows: list.rowCount, columns: list.columnCount, offsets: list.offsets.map { Int64($0) },
      indices: Array(list.columns), values: [Float](repeating: 1, count: list.columns.count))
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

  /// `Σ_t weight_t · matrix_t`; an entry at every position that one of the matrices has.
  ///
  /// - Precondition: there is a matrix, and all have the same shape.
  public static func sum(_ terms: [(weight: Float, matrix: SparseMatrix)]) -> SparseMatrix {
    merged(terms.map(\.matrix)) { term, total, value in (total ?? 0) + terms[term].weight * value }
  }

  /// The largest entry at every position that one of the matrices has.
  ///
  /// - Precondition: there is a matrix, and all have the same shape.
  public static func maximum(_ matrices: [SparseMatrix]) -> SparseMatrix {
    merged(matrices) { _, largest, value in largest.map { max($0, value) } ?? value }
  }

  /// An entry at every position that one of the matrices has.
  ///
  /// - Parameter combine: the entry so far (nil before the first), with that of the next matrix.
  private static func merged(
    _ matrices: [SparseMatrix], _ combine: (_ index: Int, _ last: Float?, _ value: Float) -> Float
  ) -> SparseMatrix {
    precondition(!matrices.isEmpty, "no matrices to add up or compare")
    let (rows, columns) = (matrices[0].rows, matrices[0].columns)
    precondition(
      matrices.allSatisfy { $0.rows == rows && $0.columns == columns },
      "matrices of different shapes")
    var result = CompressedRows(columns: columns)
    var entries = [Float](repeating: 0, count: columns)
    var isPresent = [Bool](repeating: false, count: columns)
    for row in 0..<rows {
      var present: [Int32] = []
      for (position, matrix) in matrices.enumerated() {
        for entry in matrix.entries(ofRow: row) {
          let column = Int(matrix.indices[entry])
          let last = isPresent[column] ? entries[column] : nil
          entries[column] = combine(position, last, matrix.values[entry])
          if last == nil {
            isPresent[column] = true
            present.append(matrix.indices[entry])
          }
        }
      }
      present.sort()
      for column in present {
        result.append(column, entries[Int(column)])
        isPresent[Int(column)] = false
      }
      result.endRow()
    }
    return result.matrix()
  }
}

/// Builds a sparse matrix row by row and, within a row, by ascending column.
struct CompressedRows {
  let columns: Int
  private var offsets: [Int64] = [0]
  private var indices: [Int32] = []
  private var values: [Float] = []

  init(columns: Int) { self.columns = columns }

  /// Adds an entry to the current row.
  ///
  /// - Precondition: the column is inside the matrix and greater than the row's last.
  mutating func append(_ column: Int32, _ value: Float) {
    let isFirst = Int64(indices.count) == offsets[offsets.count - 1]
    precondition(
      column >= 0 && column < columns && (isFirst || indices[indices.count - 1] < column),
      "column \(column) of \(columns)")
    indices.append(column)
    values.append(value)
  }

  mutating func endRow() { offsets.append(Int64(indices.count)) }

  /// The rows that have ended.
  func matrix() -> SparseMatrix {
    SparseMatrix(
      rows: offsets.count - 1, columns: columns, offsets: offsets, indices: indices,
      values: values)
  }
}

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

/// Counts the paths of two steps: from a row through one of its columns to a column of that.
///
/// It is the product of two 0/1 matrices, row by row: memory is one counter per column, however
/// many columns a row reaches.
struct PathCount {
  private let first: AdjacencyList
  private let second: AdjacencyList
  private var counts: [Int32]

  /// - Precondition: `first` leads to the rows of `second`.
  init(from first: AdjacencyList, through second: AdjacencyList) {
    precondition(first.columnCount == second.rowCount)
    self.first = first
    self.second = second
    counts = [Int32](repeating: 0, count: second.columnCount)
  }

  /// The columns that a row reaches, ascending, and the number of paths to each.
  mutating func row(_ row: Int) -> [(column: Int32, count: Int32)] {
    var reached: [Int32] = []
    for middle in first[row] {
      for column in second[Int(middle)] {
        if counts[Int(column)] == 0 { reached.append(column) }
        counts[Int(column)] += 1
      }
    }
    reached.sort()
    return reached.map { column in
      defer { counts[Int(column)] = 0 }
      return (column, counts[Int(column)])
    }
  }

  /// The counts of all rows as a matrix.
  static func matrix(from first: AdjacencyList, through second: AdjacencyList) -> SparseMatrix {
    var paths = PathCount(from: first, through: second)
    var matrix = CompressedRows(columns: second.columnCount)
    for row in 0..<first.rowCount {
      for (column, count) in paths.row(row) { matrix.append(column, Float(count)) }
      matrix.endRow()
    }
    return matrix.matrix()
  }
}
