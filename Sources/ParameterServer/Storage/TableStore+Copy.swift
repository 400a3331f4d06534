internal import CKernels

extension TableStore {
  /// How many rows before its turn a row that is read is asked for.
  static let lookahead = 16

  /// Copies the weights of rows to `destination`, `[rows.count, width]`.
  func copy(_ rows: LocalRows, to destination: UnsafeMutablePointer<Float>) {
    let width = layout.width
    let count = rows.count
    rows.forEach { position, index in
      if position + Self.lookahead < count {
        let upcoming = row(at: rows.localIndex(at: position + Self.lookahead))
        mrdib_prefetch(upcoming, width * MemoryLayout<Float>.stride)
      }
      (destination + position * width).update(from: row(at: index), count: width)
    }
  }

  /// Replaces the weights of one row; `values` is `[width]` at any address.
  mutating func assign(
    _ values: UnsafeRawPointer, toRowAt index: Int, in block: inout WritableBlock
  ) {
    let row = writableRow(at: index, in: &block)
    UnsafeMutableRawPointer(row.values).copyMemory(
      from: values, byteCount: layout.width * MemoryLayout<Float>.stride)
  }
}
