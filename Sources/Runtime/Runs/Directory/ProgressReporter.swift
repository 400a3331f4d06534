import Coordinator
import Foundation
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes the lines of ``ProgressView`` to stderr. Used by one thread.
package final class ProgressReporter {
  private var view: ProgressView
  private let writer = ProcessOutput.diagnostics

  package init(epochs: UInt32, examplesPerEpoch: UInt64, isQuiet: Bool) {
    let descriptor = writer.descriptor
    let style = ProgressStyle.choose(
      isTerminal: isatty(descriptor) == 1, width: Self.width(of: descriptor), isQuiet: isQuiet,
      environment: ProcessInfo.processInfo.environment)
    self.view = ProgressView(style: style, epochs: epochs, examplesPerEpoch: examplesPerEpoch)
  }

  deinit { writer.endStatus() }

  package func handle(_ event: RunEvent, at now: Double = MonotonicClock.seconds) {
    for output in view.handle(event, at: now) {
      switch output {
      case .line(let text): writer.write(text + "\n")
      case .status(let text): writer.show(status: text)
      }
    }
  }

  private static func width(of descriptor: Int32) -> Int {
    var size = winsize()
    let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return isKnown ? Int(size.ws_col) : 80
  }
}

/// How progress is shown on stderr.
package enum ProgressStyle: Sendable, Equatable {
  /// One line that is rewritten, at most `width` columns wide; lines that stay are above it.
  case rewriting(width: Int)
  /// Lines that stay: one per epoch, and one every `interval` seconds in between.
  case plain(interval: Double)
  /// Only warnings and errors.
  case quiet

  /// Rewrites a line only on a terminal that can, and not if `NO_COLOR` or `CI` is set.
  package static func choose(
    isTerminal: Bool, width: Int, isQuiet: Bool, environment: [String: String]
  ) -> ProgressStyle {
    if isQuiet { return .quiet }
    let isSet = { (name: String) in !(environment[name] ?? "").isEmpty }
    let isPlain = isSet("NO_COLOR") || isSet("CI") || environment["TERM"] == "dumb"
    return isTerminal && !isPlain ? .rewriting(width: max(20, width)) : .plain(interval: 30)
  }
}
