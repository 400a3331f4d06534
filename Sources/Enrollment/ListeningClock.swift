/// The clock by which the silence of others is judged: it runs only while this process listens.
///
/// A process that was stopped, or that got no processor because others are busy, heard nobody
/// meanwhile, and what was said then waits to be read. So between two looks no more than a short
/// time counts, and none while messages are known to wait. Waiting messages stop the clock for
/// ``backlogLimit`` and for as long again as it has run without any, so that it runs at half the
/// speed of time at the least, whatever peers send.
public struct ListeningClock: Sendable, Equatable {
  /// The most that counts between two looks, seconds.
  private let longestStep: Double
  /// For how long waiting messages stop the clock at first, seconds.
  private let backlogLimit: Double
  /// Seconds for which this process has listened.
  public private(set) var seconds = 0.0
  private var lookedAt: Double?
  /// Whether messages waited when it was last known.
  private var isBehind = false
  /// For how long they have stopped the clock, less what it has run without any, seconds.
  private var stopped = 0.0

  /// - Parameter timeout: the silence, in seconds, after which somebody counts as lost.
  public init(timeout: Double) {
    longestStep = timeout / 4
    backlogLimit = timeout
  }

  /// Time went by.
  ///
  /// - Parameters:
  ///   - now: seconds on a clock that never goes back.
  ///   - isBehind: whether messages wait that have come and were not read; nil: it is not known,
  ///     because one of them is being read.
  public mutating func look(at now: Double, isBehind: Bool?) {
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
