#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An open file that closes itself; every failure says what was being done.
package final class FileDescriptor: Sendable {
  private let descriptor: Int32

  /// - Parameters:
  ///   - flags: as for `open`.
  ///   - purpose: what the file is opened for, such as `write 'a/b'`.
  /// - Throws: ``CheckpointError``.
  package init(path: String, flags: Int32, purpose: String) throws(CheckpointError) {
    descriptor = open(path, flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let isReading = flags & (O_WRONLY | O_RDWR) == 0
      throw .system(purpose, errno: errno, isReading ? .inputOutput : .cannotCreate)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// The size of a regular file.
  package func byteCount(purpose: String) throws(CheckpointError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(purpose, errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG, let size = Int(exactly: status.st_size) else {
      throw CheckpointError(.damaged, "Cannot \(purpose): it is not a regular file.")
    }
    return size
  }

  package func writeAll(_ bytes: [UInt8], purpose: String) throws(CheckpointError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
      try writeAll(UnsafeRawBufferPointer(bytes), purpose: purpose)
    }
  }

  package func writeAll(_ bytes: UnsafeRawBufferPointer, purpose: String) throws(CheckpointError) {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let count = write(descriptor, base + done, bytes.count - done)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system(purpose, errno: errno)
      }
      done += count
    }
  }

  /// Reads bytes from an offset on until the buffer is full or the file ends.
  ///
  /// - Returns: how many were read.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int, purpose: String
  ) throws(CheckpointError) -> Int {
    var done = 0
    while done < buffer.count, let base = buffer.baseAddress {
      let count = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw .system(purpose, errno: errno)
      }
      done += count
    }
    return done
  }

  package func synchronize(purpose: String) throws(CheckpointError) {
    guard fsync(descriptor) == 0 else { throw .system(purpose, errno: errno) }
  }
}
