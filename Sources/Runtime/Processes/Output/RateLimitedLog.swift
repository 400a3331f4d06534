import Logging
import Synchronization
import Transport

/// Logs warnings of one kind that peers can cause without limit: a few lines per window, and the
/// number of lines left out.
package final class RateLimitedLog: Sendable {
  private let logger: Logger
  private let limit: Mutex<RateLimit>

  package init(label: String, limit: RateLimit = RateLimit()) {
    logger = Logger(label: label)
    self.limit = Mutex(limit)
  }

  package func warning(_ line: @autoclosure () -> String) {
    let (isAdmitted, heldBack) = limit.withLock { $0.admit(at: MonotonicClock.seconds) }
    guard isAdmitted else { return }
    let line = line()
    if heldBack > 0 {
      logger.warning("\(line) (\(heldBack) lines like this were left out before it)")
    } else {
      logger.warning("\(line)")
    }
  }
}

/// Admits the first lines of every time window and counts the others, as a value.
package struct RateLimit: Sendable {
  /// Lines per window.
  package let lines: Int
  /// Seconds.
  package let window: Double
  /// Lines left out since the last admitted one.
  package private(set) var heldBack = 0
  private var windowStart = -Double.infinity
  private var linesInWindow = 0

  package init(lines: Int = 5, window: Double = 60) {
    self.lines = lines
    self.window = window
  }

  /// - Returns: whether a line may be written now, and how many were left out before it.
  package mutating func admit(at now: Double) -> (isAdmitted: Bool, heldBack: Int) {
    if now - windowStart >= window {
      windowStart = now
      linesInWindow = 0
    }
    guard linesInWindow < lines else {
      heldBack += 1
      return (false, heldBack)
    }
    linesInWindow += 1
    defer { heldBack = 0 }
    return (true, heldBack)
  }
}
