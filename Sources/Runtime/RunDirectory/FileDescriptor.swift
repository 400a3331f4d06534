#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An open file that closes itself; every failure says what was being done.
final class FileDescriptor: Sendable {
  private let descriptor: Int32

  init(path: String, flags: Int32, purpose: String) throws {
    descriptor = open(path, flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw RuntimeError.system(purpose, errno: errno, exitCode: .cannotCreate)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  func writeAll(_ bytes: [UInt8], purpose: String) throws {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw RuntimeError.system(purpose, errno: errno, exitCode: .inputOutput)
      }
      done += count
    }
  }

  func synchronize(purpose: String) throws {
    guard fsync(descriptor) == 0 else {
      throw RuntimeError.system(purpose, errno: errno, exitCode: .inputOutput)
    }
  }
}
