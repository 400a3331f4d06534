import ParameterServer

/// A buffer for some rows of a table with their states and update numbers.
final class RowBuffer {
  let capacity: Int
  let ids: UnsafeMutablePointer<UInt32>
  /// Weights, then optimizer states, each `[capacity, its width]` as they are stored.
  let parts: [UnsafeMutableRawPointer]
  let lastUpdates: UnsafeMutablePointer<UInt32>
  private let table: TableShape

  /// A buffer for at most `rowCount` rows and about a megabyte, but at least one row.
  init(_ table: TableShape, atMost rowCount: Int) {
    self.table = table
    let capacity = min(max(1, rowCount), max(1, (1 << 20) / Self.byteCount(table)))
    self.capacity = capacity
    ids = .allocate(capacity: capacity)
    ids.initialize(repeating: 0, count: capacity)
    lastUpdates = .allocate(capacity: capacity)
    lastUpdates.initialize(repeating: 0, count: capacity)
    parts = table.layout.parts.map { part in
      let byteCount = capacity * part.byteCount
      let memory = UnsafeMutableRawPointer.allocate(
        byteCount: byteCount, alignment: MemoryLayout<Float>.alignment)
      memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      return memory
    }
  }

  deinit {
    ids.deallocate()
    lastUpdates.deallocate()
    for part in parts { part.deallocate() }
  }

  /// Bytes of a row with its states, update number and id.
  static func byteCount(_ table: TableShape) -> Int {
    4 * (table.layout.stride + 2)
  }

  /// The first `count` rows; valid as long as the buffer is alive.
  func rows(_ count: Int) -> StoredRows {
    StoredRows(
      ids: UnsafeBufferPointer(start: ids, count: count), parts: parts.map { UnsafeRawPointer($0) },
      lastUpdates: table.layout.tracksUpdates ? UnsafePointer(lastUpdates) : nil)
  }
}
