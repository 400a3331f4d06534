import Tensors

extension SparseMatrix {
  /// Σ_j of each row.
  var rowSums: [Double] {
    (0..<rows).map { row in entries(ofRow: row).reduce(0) { $0 + Double(values[$1]) } }
  }

  /// Σ_i of each column.
  var columnSums: [Double] {
    var sums = [Double](repeating: 0, count: columns)
    for (column, value) in zip(indices, values) { sums[Int(column)] += Double(value) }
    return sums
  }

  /// `v_ij / √(r_i c_j)` for every entry; 0 where a degree is 0 or less.
  ///
  /// - Parameter smallest: values below become this; nil leaves them.
  /// - Precondition: one degree per row and per column.
  func normalized(
    rowDegrees: [Double], columnDegrees: [Double], raisingTo smallest: Float? = nil
  ) -> SparseMatrix {
    precondition(rowDegrees.count == rows && columnDegrees.count == columns)
    return mapValues { row, column, value in
      let (rowDegree, columnDegree) = (rowDegrees[row], columnDegrees[column])
      let normalized =
        rowDegree > 0 && columnDegree > 0
        ? Float(Double(value) / (rowDegree * columnDegree).squareRoot()) : 0
      return smallest.map { max($0, normalized) } ?? normalized
    }
  }

  /// ``normalized(rowDegrees:columnDegrees:raisingTo:)`` with the sums of rows and columns, plus
  /// `addend`, as degrees.
  func normalized(addingToDegrees addend: Double) -> SparseMatrix {
    normalized(
      rowDegrees: rowSums.map { $0 + addend }, columnDegrees: columnSums.map { $0 + addend })
  }

  /// ``normalized(rowDegrees:columnDegrees:raisingTo:)`` with the row sums, plus `addend`, as
  /// degrees on both sides.
  ///
  /// - Precondition: as many rows as columns.
  func normalizedByRowSums(
    guard addend: Double = 0, raisingTo smallest: Float? = nil
  ) -> SparseMatrix {
    let degrees = rowSums.map { $0 + addend }
    return normalized(rowDegrees: degrees, columnDegrees: degrees, raisingTo: smallest)
  }

  /// `v_ij / Σ_j v_ij`.
  func averagingRows() -> SparseMatrix {
    let sums = rowSums
    return mapValues { row, _, value in Float(Double(value) / sums[row]) }
  }

  /// The same positions, all with one value.
  func replacingValues(by value: Float) -> SparseMatrix { mapValues { _, _, _ in value } }

  private func mapValues(_ transform: (_ row: Int, _ column: Int, Float) -> Float) -> SparseMatrix {
    var mapped: [Float] = []
    mapped.reserveCapacity(values.count)
    for row in 0..<rows {
      for entry in entries(ofRow: row) {
        mapped.append(transform(row, Int(indices[entry]), values[entry]))
      }
    }
    return SparseMatrix(
      rows: rows, columns: columns, offsets: offsets, indices: indices, values: mapped)
  }
}
