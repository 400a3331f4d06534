/// A sparse 0/1 matrix in compressed rows: for each row, its column indices in ascending order.
public struct AdjacencyList: Sendable, Equatable {
  public let columnCount: Int
  /// Where each row begins in ``columns``; `rowCount + 1` entries.
  public let offsets: ReadOnlyArray<Int>
  /// The column indices of all rows, one row after the other.
  public let columns: ReadOnlyArray<Int32>

  public var rowCount: Int { offsets.count - 1 }

  /// Builds the rows from pairs in any order; equal pairs are kept once.
  ///
  /// - Precondition: `0 <= row < rowCount` and `0 <= column < columnCount` for every pair.
  public init(rowCount: Int, columnCount: Int, pairs: some Collection<(Int32, Int32)>) {
    self.columnCount = columnCount
    var counts = [Int](repeating: 0, count: rowCount + 1)
    for (row, column) in pairs {
      precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount)
      counts[Int(row) + 1] += 1
    }
    for row in 0..<rowCount { counts[row + 1] += counts[row] }
    var columns = [Int32](repeating: 0, count: pairs.count)
    var next = counts
    for (row, column) in pairs {
      columns[next[Int(row)]] = column
      next[Int(row)] += 1
    }
    var offsets = [0]
    offsets.reserveCapacity(rowCount + 1)
    var kept = 0
    for row in 0..<rowCount {
      let start = kept
      columns[counts[row]..<counts[row + 1]].sort()
      for index in counts[row]..<counts[row + 1]
      where kept == start || columns[kept - 1] != columns[index] {
        columns[kept] = columns[index]
        kept += 1
      }
      offsets.append(kept)
    }
    columns.removeLast(columns.count - kept)
    self.offsets = ReadOnlyArray(offsets)
    self.columns = ReadOnlyArray(columns)
  }

  /// Rows that were compressed before.
  ///
  /// - Precondition: the offsets ascend from 0 to the number of columns, and the columns of each
  ///   row ascend within `0 ..< columnCount`; the latter is not checked.
  package init(columnCount: Int, offsets: ReadOnlyArray<Int>, columns: ReadOnlyArray<Int32>) {
    precondition(offsets.first == 0 && offsets.last == columns.count, "offsets of other columns")
    self.columnCount = columnCount
    self.offsets = offsets
    self.columns = columns
  }

  /// The column indices of one row, ascending.
  public subscript(row: Int) -> ReadOnlyArray<Int32> {
    columns[offsets[row]..<offsets[row + 1]]
  }

  /// Whether `(row, column)` is set. O(log of the row's length).
  public func contains(row: Int, column: Int32) -> Bool {
    var low = offsets[row]
    var high = offsets[row + 1]
    while low < high {
      let middle = (low + high) / 2
      if columns[middle] < column { low = middle + 1 } else { high = middle }
    }
    return low < offsets[row + 1] && columns[low] == column
  }

  /// Prefetches where a row begins, for a row that will be looked up soon.
  @inline(__always)
  package func prefetchOffset(ofRow row: Int) { offsets.prefetch(row) }

  /// Prefetches the first columns of a row that will be looked up soon, and whose offset is there.
  @inline(__always)
  package func prefetchColumns(ofRow row: Int) {
    let start = offsets[row]
    if start < columns.endIndex { columns.prefetch(start) }
  }

  /// How many columns are set in a row.
  public func degree(_ row: Int) -> Int { offsets[row + 1] - offsets[row] }
}
