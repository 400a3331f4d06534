import Foundation
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes text to a descriptor on a thread of its own, because a write can block for any time: a
/// full pipe, a stopped pager, a terminal after Ctrl-S, a disk that stalls. Callers do not wait.
///
/// The descriptor is not made non-blocking, because other programs share that setting. A writer
/// lives as long as its process.
package final class OutputWriter: @unchecked Sendable {  // all `var`s only under the lock
  /// Waits are cut into pieces, so that a clock that is set back prolongs only one of them.
  private static let longestWait = 0.1

  let descriptor: Int32
  private let makeThread: @Sendable (@escaping @Sendable () throws -> Void) throws -> JoinableThread
  private let condition = NSCondition()
  private var backlog: OutputBacklog
  /// nil before the first text, and while the system refuses to start a thread.
  private var thread: JoinableThread?
  private var isWriting = false
  private var firstFailure: Int32?
  private var watch: (@Sendable (_ byteCount: Int, _ error: Int32?) -> Void)?

  /// - Parameter makeThread: starts the thread; another one in a test.
  package init(
    descriptor: Int32, overflow: OutputBacklog.Overflow,
    makeThread:
      @escaping @Sendable (@escaping @Sendable () throws -> Void) throws ->
      JoinableThread = { try JoinableThread(name: "output", $0) }
  ) {
    self.descriptor = descriptor
    self.makeThread = makeThread
    backlog = OutputBacklog(overflow: overflow)
  }

  /// The `errno` of the first failed write.
  package var failure: Int32? { locked { firstFailure } }

  /// Calls `action` after every write, with the bytes that were written and the `errno` if it
  /// failed. It is called on the writer's thread, and may block.
  func watchWrites(_ action: @escaping @Sendable (_ byteCount: Int, _ error: Int32?) -> Void) {
    locked { watch = action }
  }

  /// Another process shows a status on the same terminal: the next text erases its line.
  func assumeStatus() { add { $0.assumeStatus() } }

  /// Adds text: lines, each with its newline. Never waits.
  package func write(_ text: String) { add { $0.add(text) } }

  /// Shows a line that the next text or status replaces. Never waits.
  func show(status: String) { add { $0.show(status: status) } }

  /// Keeps the line of a status that is shown.
  func endStatus() { add { $0.endStatus() } }

  /// Waits until everything is written, or has failed.
  ///
  /// - Returns: false if that took longer than `seconds`.
  package func flush(within seconds: Double) -> Bool {
    wait(within: seconds) { backlog.isEmpty && !isWriting }
  }

  /// Waits until there is room for more text.
  ///
  /// - Returns: false if that took longer than `seconds`.
  package func hasRoom(within seconds: Double) -> Bool {
    wait(within: seconds) { backlog.hasRoom }
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    condition.lock()
    defer { condition.unlock() }
    return body()
  }

  private func add(_ change: (inout OutputBacklog) -> Void) {
    locked {
      change(&backlog)
      if thread == nil { thread = try? makeThread { [self] in writeForEver() } }
      if thread == nil { writeWithoutBlocking(within: 0) } else { condition.broadcast() }
    }
  }

  private func wait(within seconds: Double, until isMet: () -> Bool) -> Bool {
    let deadline = MonotonicClock.seconds + seconds
    return locked {
      while !isMet() {
        let left = min(Self.longestWait, deadline - MonotonicClock.seconds)
        guard left > 0 else { return false }
        if thread == nil {
          writeWithoutBlocking(within: left)
        } else {
          _ = condition.wait(until: Date(timeIntervalSinceNow: left))
        }
      }
      return true
    }
  }

  private func writeForEver() {
    condition.lock()
    while true {
      guard let chunk = backlog.next() else {
        condition.wait()
        continue
      }
      isWriting = true
      let watch = watch
      condition.unlock()
      let result = write(chunk)
      watch?(result.byteCount, result.error)
      condition.lock()
      isWriting = false
      note(result, of: chunk)
      condition.broadcast()
    }
  }

  /// Used when there is no thread: writes only while the descriptor accepts data.
  private func writeWithoutBlocking(within seconds: Double) {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    var milliseconds = Int32((seconds * 1000).rounded(.up))
    while !backlog.isEmpty, poll(&request, 1, milliseconds) > 0, let chunk = backlog.next() {
      note(write(chunk), of: chunk)
      milliseconds = 0
    }
  }

  private struct WriteResult {
    var byteCount = 0
    var error: Int32?
  }

  private func note(_ result: WriteResult, of chunk: OutputBacklog.Chunk) {
    guard let error = result.error else { return }
    firstFailure = firstFailure ?? error
    backlog.fail(chunk, after: result.byteCount, reason: String(cString: strerror(error)))
  }

  private func write(_ chunk: OutputBacklog.Chunk) -> WriteResult {
    var result = WriteResult()
    let bytes = Array(chunk.text.utf8)
    bytes.withUnsafeBytes { bytes in
      while result.byteCount < bytes.count, result.error == nil {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[result.byteCount...])
        #if canImport(Glibc)
          let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
        #else
          let count = Darwin.write(descriptor, rest.baseAddress, rest.count)
        #endif
        if count >= 0 {
          result.byteCount += count
        } else if errno == EAGAIN {
          // Another program with the same pipe or terminal made it non-blocking.
          var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&request, 1, -1)
        } else if errno != EINTR {
          result.error = errno
        }
      }
    }
    return result
  }
}
