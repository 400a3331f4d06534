extension SparseMatrix {
  /// Some neighbouring rows and columns of the matrix, `[rows.count, columns.count]`.
  ///
  /// - Precondition: both ranges lie inside.
  public func block(rows rowRange: Range<Int>, columns columnRange: Range<Int>) -> SparseMatrix {
    precondition(
      rowRange.lowerBound >= 0 && rowRange.upperBound <= rows && columnRange.lowerBound >= 0
        && columnRange.upperBound <= columns,
      "block \(rowRange) × \(columnRange) of [\(rows), \(columns)]")
    var offsets: [Int64] = [0]
    var indices: [Int32] = []
    var values: [Float] = []
    for row in rowRange {
      for entry in entries(ofRow: row) where columnRange.contains(Int(self.indices[entry])) {
        indices.append(self.indices[entry] - Int32(columnRange.lowerBound))
        values.append(self.values[entry])
      }
      offsets.append(Int64(indices.count))
    }
    return SparseMatrix(
      rows: rowRange.count, columns: columnRange.count, offsets: offsets, indices: indices,
      values: values)
  }
}
