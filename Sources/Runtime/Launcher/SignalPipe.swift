import CProcess
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where a run looks whether it was asked to stop.
public protocol StopSignals: Sendable {
  /// The number of the next signal that is waiting, or nil. Does not block.
  func next() -> Int32?
}

/// SIGINT, SIGTERM and SIGHUP as bytes in a pipe, to wait for together with other descriptors.
///
/// While it exists these signals do nothing else. A terminal that goes away (SIGHUP) asks for the
/// same as SIGTERM and is told as that, unless `nohup` has it ignored.
///
/// There can be one at a time in a process. A
/// handler that writes into a pipe works whichever thread the signal comes to; a `signalfd` would
/// need the signals blocked in every thread, also in those of libraries.
public final class SignalPipe: StopSignals {
  /// Readable when a signal is waiting.
  public let descriptor: Int32

  /// What asks a process to stop.
  public static let stopSignals = [SIGINT, SIGTERM, SIGHUP]

  /// - Throws: ``RuntimeError`` if the signals are watched already or the system refuses a pipe.
  public init(signals: [Int32] = SignalPipe.stopSignals) throws {
    descriptor = cprocess_watch_signals(signals, signals.count)
    guard descriptor >= 0 else {
      throw RuntimeError.system("watch for signals", errno: errno, exitCode: .system)
    }
  }

  deinit {
    if descriptor >= 0 { cprocess_unwatch_signals() }
  }

  /// Lets signals end a process that does not watch them, also where whoever started it had them
  /// blocked. Call it first thing in a program, on its main thread.
  public static func unblock() { cprocess_unblock_signals(stopSignals, stopSignals.count) }

  /// Signals of a process that ends soon after its run: they are watched until then, because one
  /// that comes while it says why it ends must not end it sooner, with another code.
  public static func untilExit() throws -> SignalPipe {
    let signals = try SignalPipe()
    lasting.withLock { $0 = signals }
    return signals
  }

  /// What ``untilExit()`` made, if the process watches its signals until its end.
  public static var watchedUntilExit: SignalPipe? { lasting.withLock { $0 } }

  private static let lasting = Mutex<SignalPipe?>(nil)

  public func next() -> Int32? {
    var byte: UInt8 = 0
    while true {
      let count = read(descriptor, &byte, 1)
      if count == 1 { return Int32(byte) == SIGHUP ? SIGTERM : Int32(byte) }
      if count < 0, errno == EINTR { continue }
      return nil
    }
  }
}
