import Files
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Bounds a log file: when it is too large, it is renamed to `NAME.1` and a new one takes its place
/// under the same descriptor.
final class LogRotation: Sendable {
  private struct State {
    var size: Int
    var hasFailed = false
  }

  private let path: String
  private let descriptor: Int32
  private let limit: Int
  private let state: Mutex<State>

  /// - Parameters:
  ///   - size: bytes that the file has.
  ///   - limit: bytes after which the next file begins.
  init(_ path: String, descriptor: Int32, size: Int, limit: Int) {
    self.path = path
    self.descriptor = descriptor
    self.limit = limit
    state = Mutex(State(size: size))
  }

  /// Bytes were written. May begin the next file.
  func wrote(_ byteCount: Int) {
    state.withLock { state in
      state.size += byteCount
      guard state.size >= limit else { return }
      // Without a next file the lines of this one are lost: it must not grow for ever.
      if !beginNext() { _ = ftruncate(descriptor, 0) }
      state.size = 0
    }
  }

  /// Whether a failure is the first one.
  func isFirstFailure() -> Bool {
    state.withLock { state in
      defer { state.hasFailed = true }
      return !state.hasFailed
    }
  }

  private func beginNext() -> Bool {
    guard rename(path, path + ".1") == 0, let next = try? PlainFile.open(path, .append) else {
      return false
    }
    defer { close(next) }
    guard dup2(next, descriptor) >= 0 else { return false }
    if descriptor > STDERR_FILENO { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    return true
  }
}
