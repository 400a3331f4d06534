import ParameterServer
import Tables

/// Iterates over the rows of a table in the order of their ids, a window of rows at a time.
final class TableWindows {
  /// Neighbouring rows.
  struct Window {
    let rows: Range<Int>
    /// Weights, then optimizer states, all in float32, `[rows.count, stride]`; valid until the
    /// next window.
    let values: UnsafeMutablePointer<Float>
    let stride: Int
  }

  /// The position in one file.
  private struct Cursor {
    let shard: CheckpointShardFile
    let table: CheckpointShardFile.Table
    let file: any ReadableFile
    var position = 0
    var previous: UInt32?
  }

  private let table: CheckpointManifest.Table
  private let shape: TableShape
  private let catchUp: StoredRowCatchUp
  private let windowRows: Int
  private let values: UnsafeMutablePointer<Float>
  private let stride: Int
  private let buffer: RowBuffer
  private var lastUpdates: [UInt32]
  private var isSeen: [Bool]
  private var cursors: [Cursor]
  private var start = 0

  /// - Parameter windowRows: rows per window.
  init(
    of table: CheckpointManifest.Table, in view: CheckpointView, windowRows: Int
  ) throws(CheckpointError) {
    self.table = table
    self.windowRows = windowRows
    let shape = view.shape(of: table)
    self.shape = shape
    catchUp = view.catchUp
    var cursors: [Cursor] = []
    for shard in view.shards {
      cursors.append(
        Cursor(shard: shard, table: try shard.table(shape), file: try shard.open()))
    }
    self.cursors = cursors
    stride = shape.layout.wideStride
    buffer = RowBuffer(shape, atMost: windowRows)
    lastUpdates = Array(repeating: 0, count: windowRows)
    isSeen = Array(repeating: false, count: windowRows)
    values = .allocate(capacity: windowRows * stride)
    values.initialize(repeating: 0, count: windowRows * stride)
  }

  deinit { values.deallocate() }

  /// The next window; nil after the last.
  ///
  /// - Throws: ``CheckpointError`` `damaged` if a row is missing or in two files.
  func next() throws(CheckpointError) -> Window? {
    guard start < table.rows else { return nil }
    let rows = start..<min(start + windowRows, table.rows)
    for row in 0..<rows.count { isSeen[row] = false }
    for index in cursors.indices { try fill(rows, from: &cursors[index]) }
    if let missing = isSeen[..<rows.count].firstIndex(of: false) {
      throw .damaged(
        cursors[0].shard.path,
        "row \(rows.lowerBound + missing) of table '\(table.name)' is in no file")
    }
    if let rule = table.updateRule {
      lastUpdates[..<rows.count].withUnsafeBufferPointer {
        catchUp.apply(to: values, lastUpdates: $0, of: shape.layout, rule: rule)
      }
    }
    start = rows.upperBound
    return Window(rows: rows, values: values, stride: stride)
  }

  /// Reads the rows of a window that a file has.
  private func fill(_ rows: Range<Int>, from cursor: inout Cursor) throws(CheckpointError) {
    while cursor.position < cursor.table.rowCount {
      let end = min(cursor.position + buffer.capacity, cursor.table.rowCount)
      try cursor.shard.readIDs(
        of: cursor.table, at: cursor.position..<end, after: cursor.previous, into: buffer,
        file: cursor.file)
      let found = end - cursor.position
      let count = (0..<found).first { buffer.ids[$0] >= rows.upperBound } ?? found
      guard count > 0 else { return }
      try cursor.shard.readParts(
        of: cursor.table, at: cursor.position..<cursor.position + count, into: buffer,
        file: cursor.file)
      try place(count, in: rows, from: cursor.shard)
      cursor.previous = buffer.ids[count - 1]
      cursor.position += count
      guard count == found else { return }
    }
  }

  private func place(
    _ count: Int, in rows: Range<Int>, from shard: CheckpointShardFile
  ) throws(CheckpointError) {
    for offset in 0..<count {
      // Not negative: ids ascend, and rows before the window were read with earlier windows.
      let row = Int(buffer.ids[offset]) - rows.lowerBound
      guard !isSeen[row] else {
        throw .damaged(
          shard.path, "row \(buffer.ids[offset]) of table '\(table.name)' is in two files")
      }
      isSeen[row] = true
      var target = values + row * stride
      for (part, source) in zip(shape.layout.parts, buffer.parts) {
        part.widen(source + offset * part.byteCount, to: target)
        target += part.columns
      }
      lastUpdates[row] = shape.layout.tracksUpdates ? buffer.lastUpdates[offset] : 0
    }
  }
}
