internal import Tensors

/// A sparse matrix in the making, row after row and, within a row, by ascending column.
struct CompressedRows {
  let columns: Int
  private var offsets: [Int64] = [0]
  private var indices: [Int32] = []
  private var values: [Float] = []

  init(columns: Int) { self.columns = columns }

  /// Adds an entry to the row that is being filled.
  ///
  /// - Precondition: the column lies inside and right of the row's last.
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
