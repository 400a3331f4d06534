/// When people are told that a node waits, as a value: soon after the wait begins, then seldom.
struct WaitNotices: Sendable {
  /// Seconds of waiting before the first notice.
  static let first = 10.0
  /// Seconds from one notice to the next.
  static let interval = 60.0

  private var toldAt: Double?

  /// Whether a notice is due of a wait that began at `since`, `threshold` seconds after that at the
  /// earliest.
  mutating func isDue(since: Double, threshold: Double, at now: Double) -> Bool {
    if let toldAt, toldAt >= since {
      guard now - toldAt >= Self.interval else { return false }
    } else {
      guard now - since >= threshold else { return false }
    }
    toldAt = now
    return true
  }
}
