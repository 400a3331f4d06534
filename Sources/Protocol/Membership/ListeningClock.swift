/// A clock for timeouts on the silence of peers: it runs only while this process could receive.
///
/// A process that was stopped, or that got no processor time, received nothing meanwhile, and
/// messages that were sent then wait to be read. So at most a short time counts between two calls
/// of ``look(at:isBehind:)``, and none while messages are known to wait. Waiting messages stop the
/// clock for at most ``backlogLimit``, and after that for as long as it has run without any. So it
/// runs at least at half speed, whatever peers send.
package struct ListeningClock: Sendable, Equatable {
  /// The most that counts between two calls, seconds.
  private let longestStep: Double
  /// The longest time for which waiting messages stop the clock, seconds.
  private let backlogLimit: Double
  /// Seconds for which this process could receive.
  package private(set) var seconds = 0.0
  private var lookedAt: Double?
  /// Whether messages waited when this was last known.
  private var isBehind = false
  /// How long waiting messages have stopped the clock, less the time that it has run without any,
  /// seconds.
  private var stopped = 0.0

  /// - Parameter timeout: the silence after which a peer counts as lost, seconds.
  package init(timeout: Double) {
    longestStep = timeout / 4
    backlogLimit = timeout
  }

  /// Advances the clock.
  ///
  /// - Parameters:
  ///   - now: seconds on a monotonic clock.
  ///   - isBehind: whether received messages wait to be read; nil: unknown, because one of them is
  ///     being read.
  package mutating func look(at now: Double, isBehind: Bool?) {
    let step = max(0, now - (lookedAt ?? now))
    let wasBehind = self.isBehind || isBehind == true
    lookedAt = now
    self.isBehind = isBehind ?? self.isBehind
    if wasBehind, stopped + step <= backlogLimit {
      stopped += step
      return
    }
    let listened = min(step, longestStep)
    seconds += listened
    if !wasBehind { stopped = max(0, stopped - listened) }
  }
}
