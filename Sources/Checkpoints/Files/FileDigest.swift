import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

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
    // Non-blocking, because opening a named pipe would otherwise wait for its writer.
    let file = try FileDescriptor(path: path, flags: O_RDONLY | O_NONBLOCK, purpose: purpose)
    let found = try file.byteCount(purpose: purpose)
    guard found == byteCount else {
      throw .damaged(path, "it has \(found) bytes, and \(byteCount) were written")
    }
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
