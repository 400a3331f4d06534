import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Size and digest of a file, to check that its contents are what was written.
package struct FileContent: Sendable, Equatable {
  package let byteCount: Int
  /// As in `ByteDigest.text`: `xxh128:` and what `xxh128sum` prints for the file.
  package let digest: String

  static let chunkByteCount = 1 << 20

  package init(byteCount: Int, digest: String) {
    self.byteCount = byteCount
    self.digest = digest
  }

  /// Size and digest of the file at `path`.
  ///
  /// - Parameter progress: receives the number of bytes of every part that is read.
  package init(
    of path: String, progress: (Int) -> Void = { _ in }
  ) throws(CheckpointError) {
    let purpose = "read '\(path)'"
    let file = try FileDescriptor(path, .read, purpose: purpose)
    byteCount = try file.byteCount(purpose: purpose)
    digest = try Self.digest(of: file, path: path, byteCount: byteCount, progress: progress)
  }

  /// Bytes read at a time for a digest: an object store is asked for each.
  private static let digestByteCount = 8 << 20

  /// The digest of a file, which must have `byteCount` bytes.
  ///
  /// - Parameters:
  ///   - path: for messages.
  ///   - progress: receives the number of bytes of every part that is read.
  /// - Throws: ``CheckpointError``: `damaged` if the file has another size.
  static func digest(
    of file: any ReadableFile, path: String, byteCount: Int, progress: (Int) -> Void = { _ in }
  ) throws(CheckpointError) -> String {
    let purpose = "read '\(path)'"
    let found = try file.byteCount(purpose: purpose)
    guard found == byteCount else {
      throw .damaged(path, "it has \(found) bytes, and \(byteCount) were written")
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, min(byteCount, digestByteCount)), alignment: 64)
    defer { buffer.deallocate() }
    var digest = ByteDigest()
    var offset = 0
    while offset < byteCount {
      let count = try file.read(into: buffer, at: offset, purpose: purpose)
      guard count > 0 else { throw .damaged(path, "it ends at byte \(offset) of \(byteCount)") }
      digest.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += count
      progress(count)
    }
    return digest.text
  }
}
