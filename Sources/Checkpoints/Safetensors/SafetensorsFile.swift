import Files

/// Reads tensors of a safetensors file in parts. Everything in the file is checked.
package struct SafetensorsFile {
  package let path: String
  package let header: SafetensorsHeader
  /// The offset of the first value in bytes.
  private let valueOffset: Int
  private let name: String
  private let storage: any CheckpointStorage

  /// Reads the header of the file at `path`.
  ///
  /// - Throws: ``CheckpointError`` if the file cannot be read, or is not a valid safetensors file.
  package init(path: String) throws(CheckpointError) {
    let name = String(path.split(separator: "/").last ?? "")
    let parent = FilePath.parent(of: path)
    try self.init(name, in: FolderStorage(folder: parent.isEmpty ? "." : parent))
  }

  /// Reads the header of a file in a storage.
  init(_ name: String, in storage: any CheckpointStorage) throws(CheckpointError) {
    self.name = name
    self.storage = storage
    let path = storage.path(of: name)
    self.path = path
    let file = try storage.open(name)
    let size = try file.byteCount(purpose: "read '\(path)'")
    var length: UInt64 = 0
    try withUnsafeMutableBytes(of: &length) { (bytes) throws(CheckpointError) in
      try Self.fill(bytes, from: file, at: 0, path: path)
    }
    length = UInt64(littleEndian: length)
    guard let count = Int(exactly: length), count <= min(SafetensorsHeader.mostBytes, size - 8)
    else {
      var start = [UInt8](repeating: 0, count: min(size, ContentKind.byteCount))
      try start.withUnsafeMutableBufferPointer { (bytes) throws(CheckpointError) in
        try Self.fill(UnsafeMutableRawBufferPointer(bytes), from: file, at: 0, path: path)
      }
      throw .damaged(
        path,
        ContentKind.sentence(start) ?? "its header has \(length) bytes, the whole file \(size)")
    }
    var text = [UInt8](repeating: 0, count: count)
    try text.withUnsafeMutableBufferPointer { (bytes) throws(CheckpointError) in
      try Self.fill(UnsafeMutableRawBufferPointer(bytes), from: file, at: 8, path: path)
    }
    do {
      header = try SafetensorsHeader.parse(text)
    } catch {
      throw .damaged(path, error.problem)
    }
    valueOffset = 8 + count
    guard size - valueOffset == header.byteCount else {
      throw .damaged(
        path, "its tensors have \(header.byteCount) bytes, but \(size - valueOffset) follow")
    }
  }

  /// A tensor that must exist with this type and shape.
  func entry(_ wanted: SafetensorsHeader.Tensor) throws(CheckpointError) -> SafetensorsHeader.Entry
  {
    guard let entry = header.entries[wanted.name] else {
      throw .damaged(path, "it has no tensor '\(wanted.name.sanitized())'")
    }
    guard entry.tensor == wanted else {
      throw .damaged(
        path,
        "its tensor '\(wanted.name.sanitized())' is \(entry.tensor.type.rawValue) "
          + "\("\(entry.tensor.shape)".sanitized()), not "
          + "\(wanted.type.rawValue) \(wanted.shape)")
    }
    return entry
  }

  /// Reads a whole tensor that must exist with this type and shape.
  ///
  /// - Precondition: `destination` has room for its values.
  package func read(
    _ wanted: SafetensorsHeader.Tensor, to destination: UnsafeMutableRawPointer
  ) throws(CheckpointError) {
    let entry = try entry(wanted)
    try read(
      entry, from: 0, count: entry.tensor.byteCount / entry.tensor.type.byteCount,
      to: destination, file: try open())
  }

  /// Opens the file for several reads.
  func open() throws(CheckpointError) -> any ReadableFile { try storage.open(name) }

  /// Reads `count` values of a tensor from value `start` on.
  ///
  /// - Precondition: the tensor has these values, and `destination` has room for them.
  func read(
    _ entry: SafetensorsHeader.Entry, from start: Int, count: Int,
    to destination: UnsafeMutableRawPointer, file: any ReadableFile
  ) throws(CheckpointError) {
    let size = entry.tensor.type.byteCount
    precondition(start >= 0 && count >= 0 && (start + count) * size <= entry.tensor.byteCount)
    try Self.fill(
      UnsafeMutableRawBufferPointer(start: destination, count: count * size), from: file,
      at: valueOffset + entry.offset + start * size, path: path)
  }

  private static func fill(
    _ buffer: UnsafeMutableRawBufferPointer, from file: any ReadableFile, at offset: Int,
    path: String
  ) throws(CheckpointError) {
    let count = try file.read(into: buffer, at: offset, purpose: "read '\(path)'")
    guard count == buffer.count else { throw .damaged(path, "it ends at byte \(offset + count)") }
  }
}
