import CProcess

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The launcher's side of a pipe into which a child writes while it lives. Used by one thread.
///
/// A pipe and not a file or a message: it needs no disk and no clock, it is there before the
/// network is, and what is written waits in it while the launcher does not run.
final class Lifeline {
  private let ownEnd: Int32
  /// To be inherited by the child; it does not block when nobody reads.
  private(set) var childEnd: Int32

  /// - Throws: ``RuntimeError`` if the system refuses a pipe.
  init(purpose: String) throws {
    var ends: [Int32] = [-1, -1]
    guard cprocess_open_pipe(&ends) == 0 else {
      throw RuntimeError.system(purpose, errno: errno, exitCode: .system)
    }
    (ownEnd, childEnd) = (ends[0], ends[1])
  }

  deinit {
    close(ownEnd)
    closeChildEnd()
  }

  /// From now on the child alone has its end.
  func closeChildEnd() {
    if childEnd >= 0 { close(childEnd) }
    childEnd = -1
  }

  /// Whether the child has written since the last call.
  func takeSigns() -> Bool {
    var bytes: [UInt8] = Array(repeating: 0, count: 4096)
    var hasSigns = false
    while true {
      let count = read(ownEnd, &bytes, bytes.count)
      if count > 0 { hasSigns = true }
      if count < bytes.count, !(count < 0 && errno == EINTR) { return hasSigns }
    }
  }
}
