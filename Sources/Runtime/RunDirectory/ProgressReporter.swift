import Coordination
import Foundation
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes what ``ProgressView`` says to stderr. Used by one thread.
public final class ProgressReporter {
  private var view: ProgressView
  private let descriptor: Int32
  /// Whether a rewritten line stands on the terminal.
  private var hasStatus = false

  /// - Parameter descriptor: where to write; stderr unless a test looks.
  public init(
    epochs: UInt32, examplesPerEpoch: UInt64, isQuiet: Bool, descriptor: Int32 = STDERR_FILENO
  ) {
    let style = ProgressStyle.choose(
      isTerminal: isatty(descriptor) == 1, width: Self.width(of: descriptor), isQuiet: isQuiet,
      environment: ProcessInfo.processInfo.environment)
    self.view = ProgressView(style: style, epochs: epochs, examplesPerEpoch: examplesPerEpoch)
    self.descriptor = descriptor
  }

  deinit {
    if hasStatus { emit("\n") }
  }

  public func handle(_ event: RunEvent, at now: Double = MonotonicClock.seconds) {
    for output in view.handle(event, at: now) {
      let erase = hasStatus ? "\r\u{1B}[K" : ""
      switch output {
      case .line(let text): emit("\(erase)\(text)\n")
      case .status(let text): emit("\(erase)\(text)")
      }
      if case .status = output { hasStatus = true } else { hasStatus = false }
    }
  }

  /// Progress that cannot be written must not end a run: failures are dropped.
  private func emit(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }

  private static func width(of descriptor: Int32) -> Int {
    var size = winsize()
    let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return isKnown ? Int(size.ws_col) : 80
  }
}
