import Messages

/// What people are told of a run that does not come any further. What ends the wait is elsewhere.
extension CoordinatorState {
  /// What a run waits for.
  struct Wait: Sendable, Equatable {
    var what: String
    var since: Double
    /// Seconds after which the run ends; nil if a worker's own limit ends the wait.
    var limit: Double?
  }

  /// When people were told, and how far the work was.
  struct WaitWatch: Sendable {
    /// Seconds before the first notice, where something is missing or a disk is slow.
    static let first = 10.0
    /// Seconds before the first notice, where somebody computes.
    static let firstOfWork = 60.0
    /// Seconds from one notice to the next.
    static let interval = 60.0

    var toldAt: Double?
    var progress: Progress?
    var movedAt = 0.0
  }

  mutating func tellOfWaiting(at now: Double) -> [CoordinatorAction] {
    if progress != waitWatch.progress || progress == nil {
      waitWatch.progress = progress
      waitWatch.movedAt = now
    }
    guard let wait = wait else { return [] }
    let first = wait.limit == nil ? WaitWatch.firstOfWork : WaitWatch.first
    if let toldAt = waitWatch.toldAt, toldAt >= wait.since {
      guard now - toldAt >= WaitWatch.interval else { return [] }
    } else {
      guard now - wait.since >= first else { return [] }
    }
    waitWatch.toldAt = now
    return [.report(.waiting(for: wait.what, seconds: now - wait.since, limit: wait.limit))]
  }

  private var wait: Wait? {
    let timeout = plan.timing.startupTimeout
    switch phase {
    case .forming(let forming):
      guard let since = forming.since ?? startedAt else { return nil }
      return Wait(what: whatForming(forming), since: since, limit: timeout)
    case .saving(let saving):
      return Wait(
        what: "the best model, of epoch \(epoch), to be read from the servers and written",
        since: saving.movedAt, limit: timeout)
    case .training, .materializing, .ranking:
      // That no worker is there was said at once.
      guard workerlessSince == nil, let progress else { return nil }
      return Wait(
        what: "the \(words(for: progress)) of epoch \(epoch) to come further than "
          + "\(progress.done) of \(progress.total)",
        since: waitWatch.movedAt, limit: nil)
    case .resting, .ended: return nil
    }
  }

  private func whatForming(_ forming: Forming) -> String {
    switch forming.stage {
    case .findingCheckpoint:
      return "the newest checkpoint in '\(plan.checkpoints?.folder ?? "")' to be found and read"
    case .gathering, .settingUp:
      let missing = missing
      return "the cluster to be complete" + (missing.isEmpty ? "" : " (\(missing))")
    }
  }

  private func words(for progress: Progress) -> String {
    switch progress.activity {
    case .train: "training"
    case .materialize: "final matrices"
    case .rank: "ranking"
    }
  }
}
