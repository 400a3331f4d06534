import Files

/// Writes `users.tsv` or `items.tsv` row by row (``IdentifierTable``). The file appears under its
/// name when it is finished.
package final class IdentifierTableWriter {
  /// Stands between the categories of an item.
  package static let categorySeparator = " | "

  private static let tab = UInt8(ascii: "\t")
  private static let flushByteCount = 256 << 10

  private let file: AtomicFile
  private let kind: IdentifierTable.Kind
  private let columnCount: Int
  private var buffer: [UInt8] = []
  /// How many rows were appended: the dense id of the next.
  package private(set) var count = 0

  /// Starts the file in a folder.
  ///
  /// - Parameter columns: what is known of items next to their ids; nothing is of users.
  /// - Throws: ``DatasetError`` if it cannot be created.
  package init(
    folder: String, kind: IdentifierTable.Kind, columns: [IdentifierTable.ItemColumn] = []
  ) throws(DatasetError) {
    precondition(kind == .items || columns.isEmpty, "columns \(columns) of users")
    self.kind = kind
    columnCount = columns.count
    file = try AtomicFile(path: DatasetDescription.path(of: kind.files[0], in: folder))
    let names = [kind.columns.dense[0], kind.columns.id[0]] + columns.map(\.rawValue)
    buffer = Array((names.joined(separator: "\t") + "\n").utf8)
  }

  /// Appends the next dense id.
  ///
  /// - Parameters:
  ///   - id: the original id in UTF-8.
  ///   - values: one per column, empty where nothing is known. Tabs, line breaks and NULs in them
  ///     become blanks.
  /// - Throws: ``DatasetError`` if the id is empty or has a tab, a line break or a NUL in it, or
  ///   the file cannot be written.
  /// - Precondition: as many values as columns.
  package func append(
    id: UnsafeRawBufferPointer, values: [String] = []
  ) throws(DatasetError) {
    precondition(values.count == columnCount, "\(values.count) values, \(columnCount) columns")
    guard !id.isEmpty, !id.contains(where: Self.isSeparator) else {
      let shown = String(decoding: id.prefix(128), as: UTF8.self).sanitized(atMost: 64)
      throw DatasetError(
        .malformed, path: file.path,
        "cannot hold the \(kind.word) id '\(shown)': an id has at least one character, and no tab, "
          + "line break or NUL")
    }
    buffer.append(contentsOf: "\(count)".utf8)
    buffer.append(Self.tab)
    buffer.append(contentsOf: id)
    for value in values {
      buffer.append(Self.tab)
      for byte in value.utf8 {
        buffer.append(Self.isSeparator(byte) ? UInt8(ascii: " ") : byte)
      }
    }
    buffer.append(UInt8(ascii: "\n"))
    count += 1
    if buffer.count >= Self.flushByteCount { try flush() }
  }

  /// Appends the next dense id.
  ///
  /// - Throws: as the one that takes bytes.
  package func append(id: String, values: [String] = []) throws(DatasetError) {
    let bytes = Array(id.utf8)
    try bytes.withUnsafeBufferPointer { bytes throws(DatasetError) in
      try append(id: UnsafeRawBufferPointer(bytes), values: values)
    }
  }

  /// Gives the file its name.
  ///
  /// - Throws: ``DatasetError`` if it cannot be written.
  package func finish() throws(DatasetError) {
    try flush()
    try file.commit()
  }

  private func flush() throws(DatasetError) {
    try file.write(buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == tab || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == 0
  }
}
