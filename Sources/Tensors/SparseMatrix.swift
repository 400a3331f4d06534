internal import Synchronization

/// An immutable sparse matrix in compressed rows, `[rows, columns]`.
public final class SparseMatrix: Sendable {
  public let rows: Int
  public let columns: Int
  /// Where each row's entries begin; `rows + 1` numbers.
  public let offsets: [Int64]
  /// Columns of the entries, ascending within a row, each once.
  public let indices: [Int32]
  public let values: [Float]
  private let rowBlocks: RowBlocks
  private let transpose = Mutex<SparseMatrix?>(nil)

  /// Number of stored entries.
  public var entryCount: Int { indices.count }

  /// - Precondition: the three arrays describe compressed rows with ascending columns.
  public init(rows: Int, columns: Int, offsets: [Int64], indices: [Int32], values: [Float]) {
    precondition(
      offsets.count == rows + 1 && indices.count == values.count
        && offsets.first == 0 && offsets.last == Int64(indices.count),
      "SparseMatrix [\(rows), \(columns)] with \(indices.count) entries")
    self.rows = rows
    self.columns = columns
    self.offsets = offsets
    self.indices = indices
    self.values = values
    rowBlocks = RowBlocks(offsets: offsets)
  }

  /// Builds compressed rows from entries in any order; entries at the same position are added in
  /// the order given.
  ///
  /// - Precondition: every entry lies inside.
  public convenience init(
    rows: Int, columns: Int, entries: [(row: Int32, column: Int32, value: Float)]
  ) {
    var counts = [Int](repeating: 0, count: rows + 1)
    for entry in entries {
      precondition(entry.row >= 0 && entry.row < rows, "row \(entry.row) of \(rows)")
      precondition(entry.column >= 0 && entry.column < columns, "column \(entry.column)")
      counts[Int(entry.row) + 1] += 1
    }
    for row in 0..<rows { counts[row + 1] += counts[row] }
    var order = [Int](repeating: 0, count: entries.count)
    var next = counts
    for (index, entry) in entries.enumerated() {
      order[next[Int(entry.row)]] = index
      next[Int(entry.row)] += 1
    }
    var offsets: [Int64] = [0]
    var indices: [Int32] = []
    var values: [Float] = []
    indices.reserveCapacity(entries.count)
    values.reserveCapacity(entries.count)
    for row in 0..<rows {
      // By column; entries of the same column stay in the order given.
      let sorted = order[counts[row]..<counts[row + 1]].sorted {
        (entries[$0].column, $0) < (entries[$1].column, $1)
      }
      let start = indices.count
      for index in sorted {
        if indices.count > start, indices[indices.count - 1] == entries[index].column {
          values[values.count - 1] += entries[index].value
        } else {
          indices.append(entries[index].column)
          values.append(entries[index].value)
        }
      }
      offsets.append(Int64(indices.count))
    }
    self.init(rows: rows, columns: columns, offsets: offsets, indices: indices, values: values)
  }

  /// The entries of a row as positions in ``indices`` and ``values``.
  public func entries(ofRow row: Int) -> Range<Int> {
    Int(offsets[row])..<Int(offsets[row + 1])
  }

  /// The transposed matrix; computed on first use and kept.
  public var transposed: SparseMatrix {
    transpose.withLock { kept in
      if let kept { return kept }
      let made = makeTransposed()
      kept = made
      return made
    }
  }

  private func makeTransposed() -> SparseMatrix {
    var counts = [Int64](repeating: 0, count: columns + 1)
    for column in indices { counts[Int(column) + 1] += 1 }
    for column in 0..<columns { counts[column + 1] += counts[column] }
    var next = counts
    var rowsOfEntries = [Int32](repeating: 0, count: indices.count)
    var transposedValues = [Float](repeating: 0, count: indices.count)
    for row in 0..<rows {
      for entry in entries(ofRow: row) {
        let column = Int(indices[entry])
        rowsOfEntries[Int(next[column])] = Int32(row)
        transposedValues[Int(next[column])] = values[entry]
        next[column] += 1
      }
    }
    return SparseMatrix(
      rows: columns, columns: rows, offsets: counts, indices: rowsOfEntries,
      values: transposedValues)
  }

  /// `y = self · x`, or `y += self · x`, for `x` `[columns, D]` and `y` `[rows, D]`. The entries of
  /// a row are added in the order of their columns.
  ///
  /// - Precondition: the shapes agree.
  public func multiply(_ x: Matrix, into y: Matrix, adds: Bool = false) {
    precondition(
      x.rows == columns && y.rows == rows && x.columns == y.columns,
      "[\(rows), \(columns)] · \(x.shape) into \(y.shape)")
    rowBlocks.multiply(indices, values, x, into: y, adds: adds)
  }
}

extension SparseMatrix {
  /// A range of consecutive rows and columns, `[rows.count, columns.count]`.
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
