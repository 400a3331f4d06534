import Logging
import Synchronization
import Transport

/// Warnings of one kind, of which others can cause as many as they like: a few lines a minute, and
/// how many were left out.
public final class RateLimitedLog: Sendable {
  private let logger: Logger
  private let limit: Mutex<RateLimit>

  public init(label: String, limit: RateLimit = RateLimit()) {
    logger = Logger(label: label)
    self.limit = Mutex(limit)
  }

  public func warning(_ line: @autoclosure () -> String) {
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
