import Protocol

/// What is shown while a run waits, and of its best epoch.
extension CoordinatorState {
  /// Seconds of waiting before it is shown.
  private static let shownAfter = 2.0

  /// What the run waits for at this moment, and how many seconds are left before it ends or, where
  /// a member is silent, before that counts as lost; nil while it waits for nothing in particular.
  ///
  /// - Parameter now: seconds on a monotonic clock.
  package func currentWait(at now: Double) -> (what: String, secondsLeft: Double)? {
    guard !isEnded else { return nil }
    if let wait = phase.wait(in: run), let since = wait.since, let limit = wait.limit {
      guard now - since >= Self.shownAfter else { return nil }
      return (wait.what, max(0, since + limit - now))
    }
    guard phase.tasks != nil else { return nil }
    let timing = plan.timing
    let patience = min(
      max(Self.shownAfter, 3 * timing.heartbeatInterval), timing.heartbeatTimeout)
    guard
      let node = run.members.silent(for: patience, at: listening.seconds).first,
      let member = run.members[node]
    else { return nil }
    let silence = listening.seconds - member.lastSeen
    return (
      "\(member.role) \(member.rank) to answer", max(0, timing.heartbeatTimeout - silence)
    )
  }

  /// Which evaluation is the best so far, and how many in a row were not better.
  package var selection: ModelSelection { run.history.selection }
}
