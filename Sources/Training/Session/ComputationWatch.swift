/// How long a computation has been under way. Only time in which the worker's network thread ran
/// counts: if the process was stopped, so was its computation.
struct ComputationWatch: Sendable {
  /// Between two ticks no more than this counts, seconds.
  private static let longestTick = 2.0

  private var seconds: Double?
  private var tickedAt: Double?

  /// The computation was asked for something.
  mutating func begin() { seconds = 0 }

  /// It has come back, or nobody waits for it any more.
  mutating func end() { seconds = nil }

  /// - Returns: for how long the computation has been under way; 0 if none is.
  mutating func tick(at now: Double) -> Double {
    let passed = tickedAt.map { min(now - $0, Self.longestTick) } ?? 0
    tickedAt = now
    if let seconds { self.seconds = seconds + passed }
    return seconds ?? 0
  }
}
