import Foundation
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How far a command has read its files, on stderr: a line that is rewritten on a terminal, else a
/// line every half minute. Used by one thread.
package final class ByteProgress {
  private var view: ByteProgressView
  private let writer = ProcessOutput.diagnostics

  /// - Parameter verb: what the command does, such as `importing`.
  package init(verb: String, isQuiet: Bool) {
    let style = ProgressStyle.choose(
      isTerminal: isatty(writer.descriptor) == 1, width: 80, isQuiet: isQuiet,
      environment: ProcessInfo.processInfo.environment)
    view = ByteProgressView(verb: verb, style: style, start: MonotonicClock.seconds)
  }

  deinit { writer.endStatus() }

  /// - Parameters:
  ///   - position: bytes done.
  ///   - size: all bytes.
  package func note(_ position: Int, of size: Int) {
    guard let line = view.line(position, of: size, at: MonotonicClock.seconds) else { return }
    switch view.style {
    case .rewriting: writer.show(status: line)
    case .plain: writer.write(line + "\n")
    case .quiet: break
    }
  }
}

/// Decides when progress in bytes is shown and how, as a value.
package struct ByteProgressView: Sendable {
  /// Seconds between two states of a line that is rewritten.
  private static let rewritingInterval = 0.2

  let style: ProgressStyle
  private let verb: String
  private let start: Double
  private var last: Double

  /// - Parameter start: now, in seconds of a clock that does not run backwards.
  package init(verb: String, style: ProgressStyle, start: Double) {
    (self.verb, self.style, self.start, last) = (verb, style, start, start)
  }

  /// - Returns: the line to show; nil if it is too early for one.
  package mutating func line(_ position: Int, of size: Int, at now: Double) -> String? {
    let interval: Double
    switch style {
    case .quiet: return nil
    case .rewriting: interval = Self.rewritingInterval
    case .plain(let seconds): interval = seconds
    }
    guard now - last >= interval, size > 0 else { return nil }
    last = now
    let share = min(1, Double(position) / Double(size))
    let elapsed = now - start
    let left = share > 0 ? elapsed / share - elapsed : .infinity
    return String(
      format: "%@: %.0f of %.0f MB (%.0f %%), %.1f MB/s, %@ left", verb, Double(position) / 1e6,
      Double(size) / 1e6, 100 * share, Double(position) / 1e6 / elapsed,
      ProgressFormat.duration(left))
  }
}
