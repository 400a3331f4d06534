import Files

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An open file that is closed with its last reference. Errors name the purpose of the operation.
package final class FileDescriptor: Sendable {
  private let descriptor: Int32

  /// How often opening is tried while no descriptor is free, and the pause in between in
  /// microseconds: connections that use the descriptors may end soon. Five seconds in all, which is
  /// below the timeouts for heartbeats.
  private static let attempts = 100
  private static let pause: useconds_t = 50_000

  /// Opens a regular file or a folder.
  ///
  /// - Parameter purpose: what the file is opened for, such as `write 'a/b'`.
  /// - Throws: ``CheckpointError``.
  package init(_ path: String, _ use: Use, purpose: String) throws(CheckpointError) {
    var attempt = 1
    while true {
      do {
        descriptor = try use.open(path)
        return
      } catch {
        guard error.isTooManyOpenFiles, attempt < Self.attempts else {
          throw CheckpointError(error, purpose, isReading: use.isReading)
        }
      }
      attempt += 1
      usleep(Self.pause)
    }
  }

  deinit { close(descriptor) }

  /// What a file is opened for.
  package enum Use: Sendable {
    case read
    case replace
    case append
    /// For writing and reading back; without a name from the beginning, so that it is gone with
    /// the process.
    case temporary
    case synchronizeFolder

    fileprivate var isReading: Bool { self == .read || self == .synchronizeFolder }

    fileprivate func open(_ path: String) throws(FileProblem) -> Int32 {
      switch self {
      case .read: return try PlainFile.open(path, .read)
      case .replace: return try PlainFile.open(path, .replace)
      case .append: return try PlainFile.open(path, .append)
      case .temporary:
        let descriptor = try PlainFile.open(path, .create)
        unlink(path)
        return descriptor
      case .synchronizeFolder: return try PlainFile.openFolder(path)
      }
    }
  }

  /// The size of the file.
  package func byteCount(purpose: String) throws(CheckpointError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(purpose, errno: errno) }
    return Int(status.st_size)
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
  /// - Returns: the number of bytes read.
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
