internal import Tensors

/// Counts the paths of two steps: from a row over one of its columns to a column of that.
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

  /// The columns that a row reaches, ascending, and over how many paths.
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
