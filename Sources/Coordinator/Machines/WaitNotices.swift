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

/// Decides when to report that a run waits, and for what. Something else ends the wait.
struct WaitNotices: Sendable, Equatable {
  /// Seconds before the first notice if something is missing or a disk is slow.
  private static let first = 10.0
  /// Seconds before the first notice if workers compute.
  private static let firstOfWork = 60.0
  /// Seconds from one notice to the next.
  private static let interval = 60.0

  private var noticedAt: Double?
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
    let first = wait.limit == nil ? Self.firstOfWork : Self.first
    if let noticedAt, noticedAt >= since {
      guard now - noticedAt >= Self.interval else { return nil }
    } else {
      guard now - since >= first else { return nil }
    }
    noticedAt = now
    return .waiting(for: wait.what, seconds: now - since, limit: wait.limit)
  }
}

extension Double {
  /// Such as `15.0 s`, rounded to tenths.
  var inSeconds: String { "\((self * 10).rounded() / 10) s" }
}
