internal import CKernels

/// The rows of a sparse matrix, cut into blocks with about equally many entries.
struct RowBlocks: Sendable {
  /// Entries of a block, at least; with 64 columns their products take some tens of microseconds.
  private static let entryCount = 4096

  /// Where each row's entries begin; rows + 1 numbers.
  private let offsets: [Int64]
  /// Where each block's rows begin, and the number of rows.
  private let starts: [Int]

  init(offsets: [Int64]) {
    self.offsets = offsets
    var starts = [0]
    var entries: Int64 = 0
    for row in 0..<offsets.count - 1 where offsets[row + 1] - entries >= Self.entryCount {
      starts.append(row + 1)
      entries = offsets[row + 1]
    }
    if let last = starts.last, last < offsets.count - 1 { starts.append(offsets.count - 1) }
    self.starts = starts
  }

  /// Calls `body` with the rows of each block, on all lanes if the work is worth it.
  ///
  /// - Parameter width: how many numbers an entry is multiplied with.
  func forEach(width: Int, _ body: (_ rows: Range<Int>) -> Void) {
    let blockCount = starts.count - 1
    guard blockCount > 0 else { return }
    let entries = Int(offsets[offsets.count - 1])
    guard entries * width >= Lanes.smallestBlockCount * Lanes.blockElements else {
      return body(0..<starts[blockCount])
    }
    Lanes.current.forEach(blockCount) { block, _ in body(starts[block]..<starts[block + 1]) }
  }

  /// `y[r] = Σ value_e · x[column_e]` over the entries e of each row r, or `y[r] += …`.
  ///
  /// - Parameters: `columns` and `values` have one number per entry; x `[≥ columns, D]`,
  ///   y `[rows, D]`.
  func multiply(
    _ columns: [Int32], _ values: UnsafePointer<Float>, _ x: Matrix, into y: Matrix,
    adds: Bool = false
  ) {
    let width = x.columns
    offsets.withUnsafeBufferPointer { offsets in
      columns.withUnsafeBufferPointer { columns in
        forEach(width: width) { rows in
          guard let offsets = offsets.baseAddress else { return }
          mrdib_sparse_multiply(
            offsets + rows.lowerBound, columns.baseAddress, values, rows.count, x.pointer, width,
            y.pointer + rows.lowerBound * width, adds ? 1 : 0)
        }
      }
    }
  }
}
