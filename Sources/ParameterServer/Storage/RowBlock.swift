/// Memory of some neighbouring rows of a table, 64-byte aligned.
///
/// `Sendable` is unchecked because a block is written only by a ``TableStore`` that holds the one
/// reference to it; a shared block is copied first, so the others see it unchanged.
final class RowBlock: @unchecked Sendable {
  /// `[rowCount, stride]`.
  let values: UnsafeMutablePointer<Float>
  /// `[rowCount]`: the number of each row's last update, 0 before the first; nil if not tracked.
  let lastUpdates: UnsafeMutablePointer<UInt32>?
  let rowCount: Int
  let layout: RowLayout

  /// Rows of zeros that were never updated.
  init(rowCount: Int, layout: RowLayout) {
    self.rowCount = rowCount
    self.layout = layout
    let count = rowCount * layout.stride
    values = UnsafeMutableRawPointer.allocate(
      byteCount: count * MemoryLayout<Float>.stride, alignment: 64
    ).bindMemory(to: Float.self, capacity: count)
    values.initialize(repeating: 0, count: count)
    lastUpdates = layout.tracksUpdates ? .allocate(capacity: rowCount) : nil
    lastUpdates?.initialize(repeating: 0, count: rowCount)
  }

  /// A block with the same rows.
  convenience init(copying other: RowBlock) {
    self.init(rowCount: other.rowCount, layout: other.layout)
    values.update(from: other.values, count: rowCount * layout.stride)
    if let source = other.lastUpdates { lastUpdates?.update(from: source, count: rowCount) }
  }

  deinit {
    values.deallocate()
    lastUpdates?.deallocate()
  }
}
