/// The clock by which the silence of others is judged: it runs only while this process listens.
///
/// A process that was stopped, or that got no processor because others are busy, heard nobody
/// meanwhile, and what was said then waits to be read. So between two looks no more than a short
/// time counts, and none while messages are known to wait. A peer that floods this process with
/// messages cannot stop the clock for longer than ``backlogLimit``.
public struct ListeningClock: Sendable, Equatable {
  /// The most that counts between two looks, seconds.
  private let longestStep: Double
  /// For how long waiting messages stop the clock, seconds.
  private let backlogLimit: Double
  /// Seconds for which this process has listened.
  public private(set) var seconds = 0.0
  private var lookedAt: Double?
  /// Since when messages have been waiting at every look that told so.
  private var behindSince: Double?

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
    if isBehind == true, behindSince == nil { behindSince = lookedAt ?? now }
    let isStopped = behindSince.map { now - $0 <= backlogLimit } ?? false
    if !isStopped { seconds += min(max(0, now - (lookedAt ?? now)), longestStep) }
    if isBehind == false { behindSince = nil }
    lookedAt = now
  }
}
