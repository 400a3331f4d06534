internal import CProcess
import Dispatch

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The child's end of a ``Lifeline``: sends life signs to the launcher, which kills a child that
/// sends none. They are sent by the thread whose hanging must be detected, the network thread, and
/// not by a timer.
package struct LifeSign: Sendable {
  /// The environment variable with the descriptor of the inherited end of the pipe.
  static let variable = "MRDIB_LIFELINE"

  /// Negative without a launcher.
  private let descriptor: Int32

  /// The pipe to the launcher that started this process, if there is one.
  package static let inherited = LifeSign(
    descriptor: getenv(variable).flatMap { Int32(String(cString: $0)) } ?? -1)

  /// - Parameter descriptor: ignored unless it is the end of a pipe.
  init(descriptor: Int32) {
    var status = stat()
    let isPipe =
      descriptor > STDERR_FILENO && fstat(descriptor, &status) == 0
      && status.st_mode & S_IFMT == S_IFIFO
    self.descriptor = isPipe ? descriptor : -1
  }

  /// Sends a life sign. Never waits.
  package func give() {
    guard descriptor >= 0 else { return }
    var byte: UInt8 = 1
    // A full pipe holds unread signs already; without a launcher the kernel kills this process.
    _ = write(descriptor, &byte, 1)
  }

  /// Sends life signs from a timer during `work`, before the network thread runs: loading data may
  /// take any time.
  package func giveWhile<Result>(_ work: () throws -> Result) rethrows -> Result {
    guard descriptor >= 0 else { return try work() }
    let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "mrdib.life"))
    timer.schedule(deadline: .now(), repeating: .milliseconds(250))
    timer.setEventHandler { give() }
    timer.resume()
    defer { timer.cancel() }
    return try work()
  }
}

/// The launcher's end of a pipe into which a child writes life signs. Used by one thread.
///
/// A pipe needs no disk, clock or network, and keeps what was written while the launcher is
/// stopped.
final class Lifeline {
  private let ownEnd: Int32
  /// Inherited by the child; a write to a full pipe does not block.
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

  /// Closes the launcher's copy of the child's end.
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
