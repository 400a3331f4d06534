import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What tells whether a file is the one that was written.
package struct FileContent: Sendable, Equatable {
  package let byteCount: Int
  /// As ``FileDigest`` computes it.
  package let digest: String

  package init(byteCount: Int, digest: String) {
    self.byteCount = byteCount
    self.digest = digest
  }
}

/// The digest of a file's bytes, taken chunk by chunk: the same chunks whoever reads or writes it.
package struct FileDigest {
  static let chunkByteCount = 1 << 20

  private var digest = ContentDigest()

  /// Adds the next chunk: ``chunkByteCount`` bytes, except for the last one.
  mutating func append(chunk: UnsafeRawBufferPointer) {
    if !chunk.isEmpty { digest.combine(chunk) }
  }

  var hexadecimal: String { digest.hexadecimal }

  /// The digest of the file at `path`, which must have `byteCount` bytes.
  ///
  /// - Throws: ``CheckpointError``: `damaged` if the file has another size.
  package static func of(
    _ path: String, byteCount: Int
  ) throws(CheckpointError) -> String {
    let purpose = "read '\(path)'"
    let file = try open(path, purpose: purpose)
    let found = try file.byteCount(purpose: purpose)
    guard found == byteCount else {
      throw .damaged(path, "it has \(found) bytes, and \(byteCount) were written")
    }
    return try of(file, path: path, byteCount: byteCount, purpose: purpose)
  }

  /// Size and digest of the file at `path`, whatever it is.
  package static func content(of path: String) throws(CheckpointError) -> FileContent {
    let purpose = "read '\(path)'"
    let file = try open(path, purpose: purpose)
    let byteCount = try file.byteCount(purpose: purpose)
    return FileContent(
      byteCount: byteCount,
      digest: try of(file, path: path, byteCount: byteCount, purpose: purpose))
  }

  private static func open(
    _ path: String, purpose: String
  ) throws(CheckpointError) -> FileDescriptor {
    // Non-blocking, because opening a named pipe would otherwise wait for its writer.
    try FileDescriptor(path: path, flags: O_RDONLY | O_NONBLOCK, purpose: purpose)
  }

  private static func of(
    _ file: FileDescriptor, path: String, byteCount: Int, purpose: String
  ) throws(CheckpointError) -> String {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkByteCount, alignment: 64)
    defer { buffer.deallocate() }
    var digest = FileDigest()
    var offset = 0
    while offset < byteCount {
      let count = try file.read(into: buffer, at: offset, purpose: purpose)
      guard count > 0 else { throw .damaged(path, "it ends at byte \(offset) of \(byteCount)") }
      digest.append(chunk: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += count
    }
    return digest.hexadecimal
  }
}
