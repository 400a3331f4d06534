/// Keeps a storm of deaths from flooding a person's terminal: so many notices at once, then as many
/// as time allows. A value.
package struct NoticeLimit: Sendable, Equatable {
  private let burst: Double
  private let rate: Double
  private var budget: Double
  private var filledAt: Double
  private var hiddenCount = 0

  /// - Parameters:
  ///   - burst: notices at once.
  ///   - rate: notices per second in the long run.
  ///   - now: seconds on a monotonic clock.
  package init(burst: Double = 20, rate: Double = 1, at now: Double) {
    self.burst = burst
    self.rate = rate
    budget = burst
    filledAt = now
  }

  /// What to show when there is `notice` to tell: nothing, or it, after the number of those that
  /// were not shown.
  package mutating func admit(_ notice: LaunchNotice, at now: Double) -> [LaunchNotice] {
    budget = min(burst, budget + (now - filledAt) * rate)
    filledAt = now
    if notice.isRoutine {
      guard budget >= 1 else {
        hiddenCount += 1
        return []
      }
      budget -= 1
    }
    let hidden = hiddenCount
    hiddenCount = 0
    return (hidden > 0 ? [.notShown(count: hidden)] : []) + [notice]
  }
}
