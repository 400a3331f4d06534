/// Writes a `Float` matrix as npy, like ``NPYWriter``, with rows in any order: rows that are not
/// written are zero. Only the row in use is in memory. The file appears under its name when it is
/// finished.
package final class NPYRowFile {
  package let rows: Int
  package let columns: Int
  private let file: AtomicFile
  private let payloadOffset: Int

  /// Starts a file of `rows` × `columns` numbers.
  ///
  /// - Throws: ``DatasetError`` if the file cannot be created, or would be too large.
  /// - Precondition: `rows > 0 && columns > 0`.
  package init(path: String, rows: Int, columns: Int) throws(DatasetError) {
    precondition(rows > 0 && columns > 0, "npy matrix of \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    file = try AtomicFile(path: path)
    let header = NPYHeader.text(descriptor: "<f4", shape: "(\(rows), \(columns))")
    payloadOffset = header.count
    let (count, countOverflow) = rows.multipliedReportingOverflow(by: columns)
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: 4)
    guard !countOverflow, !overflow, byteCount < Int.max / 2 else {
      throw DatasetError(.configuration, path: path, "cannot hold \(rows) × \(columns) numbers")
    }
    try file.extend(to: header.count + byteCount)
    try header.withUnsafeBufferPointer { bytes throws(DatasetError) in
      try file.write(UnsafeRawBufferPointer(bytes), at: 0)
    }
  }

  /// Writes a row, `[columns]`.
  ///
  /// - Precondition: `0 <= row < rows`.
  package func write(_ row: Int, _ values: UnsafePointer<Float>) throws(DatasetError) {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    try file.write(
      UnsafeRawBufferPointer(start: values, count: columns * 4),
      at: payloadOffset + row * columns * 4)
  }

  /// Reads back a row, `[columns]`.
  ///
  /// - Precondition: `0 <= row < rows`, and `destination` has room for a row.
  package func read(
    _ row: Int, to destination: UnsafeMutablePointer<Float>
  ) throws(DatasetError) {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    try file.read(
      into: UnsafeMutableRawBufferPointer(start: destination, count: columns * 4),
      at: payloadOffset + row * columns * 4)
  }

  /// Gives the file its final name.
  package func finish() throws(DatasetError) { try file.commit() }
}
