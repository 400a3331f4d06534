import Protocol

/// How far the tasks of a phase are.
struct Progress: Sendable, Equatable {
  var activity: RunEvent.Activity
  var done: UInt64
  var total: UInt64
}

/// What a run waits for.
struct Wait: Sendable, Equatable {
  var what: String
  /// Nil: since there was progress.
  var since: Double?
  /// Seconds after which the run ends; nil if a worker's own limit ends the wait.
  var limit: Double?
}

/// Reports that a run waits, and for what. It only reports; other rules end the wait.
struct RunWait: Sendable, Equatable {
  /// Seconds before the first notice if workers compute. Other waits are reported sooner.
  private static let firstOfWork = 60.0

  private var notices = WaitNotices()
  private var progress: Progress?
  /// When the progress changed last.
  private var movedAt = 0.0

  /// To be called on every tick.
  ///
  /// - Returns: a notice if one is due.
  mutating func next(
    _ wait: Wait?, progress: Progress?, at now: Double
  ) -> RunEvent? {
    if progress != self.progress || progress == nil {
      self.progress = progress
      movedAt = now
    }
    guard let wait else { return nil }
    let since = wait.since ?? movedAt
    let threshold = wait.limit == nil ? Self.firstOfWork : WaitNotices.first
    guard notices.isDue(since: since, threshold: threshold, at: now) else { return nil }
    return .waiting(for: wait.what, seconds: now - since, limit: wait.limit)
  }
}

extension Double {
  /// Such as `15.0 s`, rounded to tenths.
  var inSeconds: String { "\((self * 10).rounded() / 10) s" }
}
