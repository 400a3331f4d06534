/// The restarts of one process, as a value.
struct RestartHistory: Sendable, Equatable {
  /// How many were planned.
  private(set) var count = 0
  private var startedAt: Double
  private var deathsInARow = 0
  /// When the restarts within the window were planned; at most the limit of them.
  private var recent: [Double] = []

  init(startedAt now: Double) { startedAt = now }

  /// Plans one more restart of a process that has just died: after how many seconds, or nil when
  /// that would be one too many.
  mutating func plan(_ policy: RestartPolicy, at now: Double) -> Double? {
    recent.removeAll { $0 <= now - policy.window }
    guard recent.count < policy.limit else { return nil }
    if now - startedAt >= policy.steadyAfter { deathsInARow = 0 }
    recent.append(now)
    deathsInARow += 1
    count += 1
    return policy.delay(afterDeaths: deathsInARow)
  }

  mutating func started(at now: Double) { startedAt = now }
}
