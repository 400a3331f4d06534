internal import CProcess
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A source of requests to stop a run.
package protocol StopSignals: Sendable {
  /// The number of the next pending signal, or nil. Does not block.
  func next() -> Int32?
}

/// SIGINT, SIGTERM and SIGHUP as bytes in a pipe that can be polled with other descriptors.
///
/// While it exists, these signals have no other effect. SIGHUP (the terminal was closed) is
/// reported as SIGTERM, unless `nohup` makes the process ignore it.
///
/// A process can have one at a time. A handler that writes into a pipe works in any thread that
/// gets the signal; a `signalfd` would need the signals blocked in every thread, also in
/// libraries'.
package final class SignalPipe: StopSignals {
  /// Readable when a signal is pending.
  package let descriptor: Int32

  /// The signals that ask a process to stop.
  package static let stopSignals = [SIGINT, SIGTERM, SIGHUP]

  /// - Throws: ``RuntimeError`` if the signals are watched already or the system refuses a pipe.
  package init(signals: [Int32] = SignalPipe.stopSignals) throws {
    descriptor = cprocess_watch_signals(signals, signals.count)
    guard descriptor >= 0 else {
      throw RuntimeError.system("watch for signals", errno: errno, exitCode: .system)
    }
  }

  deinit {
    if descriptor >= 0 { cprocess_unwatch_signals() }
  }

  /// Unblocks the signals, in case the parent process had blocked them. Call it at the start of the
  /// program, on its main thread.
  package static func unblock() { cprocess_unblock_signals(stopSignals, stopSignals.count) }

  /// Watches the signals until the process exits: a signal that arrives while the process reports
  /// its result must not end it early with another code.
  package static func untilExit() throws -> SignalPipe {
    let signals = try SignalPipe()
    lasting.withLock { $0 = signals }
    return signals
  }

  /// The pipe of ``untilExit()``, if it was called.
  package static var watchedUntilExit: SignalPipe? { lasting.withLock { $0 } }

  private static let lasting = Mutex<SignalPipe?>(nil)

  /// Waits until a signal is pending, at most so many seconds.
  package func wait(seconds: Double) {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    _ = poll(&entry, 1, Int32(max(0, min(seconds, 3600)) * 1000))
  }

  package func next() -> Int32? {
    var byte: UInt8 = 0
    while true {
      let count = read(descriptor, &byte, 1)
      if count == 1 { return Int32(byte) == SIGHUP ? SIGTERM : Int32(byte) }
      if count < 0, errno == EINTR { continue }
      return nil
    }
  }
}
