import Messages

/// A search for a checkpoint that comes to nothing is made again: to go back to an older one, or to
/// the beginning, would throw away what was trained since, and the good ones with it, which count
/// as older than those that are written next.
extension CoordinatorState {
  var isFindingCheckpoint: Bool {
    if case .forming(let forming) = phase { forming.stage == .findingCheckpoint } else { false }
  }

  /// The disk could not be read.
  mutating func handleCheckpointSearchFailed(
    _ message: String, at now: Double
  ) -> [CoordinatorAction] {
    searchAgain(because: .unreadable(message), at: now)
  }

  /// There is none: either none was made yet, or what holds them is not there.
  mutating func handleNoCheckpoint(at now: Double) -> [CoordinatorAction] {
    guard isFindingCheckpoint else { return ignore() }
    return lastManifest == nil ? restart(from: nil) : searchAgain(because: .missing, at: now)
  }

  private mutating func searchAgain(
    because problem: Forming.SearchProblem, at now: Double
  ) -> [CoordinatorAction] {
    guard case .forming(var forming) = phase, forming.stage == .findingCheckpoint else {
      return ignore()
    }
    let isNews = forming.searchProblem != problem
    forming.searchProblem = problem
    forming.searchAgainAt = now + plan.timing.heartbeatInterval
    phase = .forming(forming)
    return isNews ? [.report(.checkpointSearchFailed(message: sentence(for: problem)))] : []
  }

  mutating func retrySearch(at now: Double) -> [CoordinatorAction] {
    guard case .forming(var forming) = phase, let again = forming.searchAgainAt, now >= again
    else { return [] }
    forming.searchAgainAt = nil
    phase = .forming(forming)
    return [.findCheckpoint]
  }

  private func sentence(for problem: Forming.SearchProblem) -> String {
    switch problem {
    case .unreadable(let message): message
    case .missing:
      "There is no checkpoint in '\(plan.checkpoints?.folder ?? "")', and "
        + "'\(lastManifest ?? "")' was committed; see that what holds them is there."
    }
  }

  /// Why the cluster cannot form, if that is for want of a checkpoint.
  ///
  /// - Parameter searching: how long it was tried, for people.
  func searchFailure(after time: String) -> RunFailure? {
    guard case .forming(let forming) = phase, forming.stage == .findingCheckpoint else {
      return nil
    }
    let folder = plan.checkpoints?.folder ?? ""
    switch forming.searchProblem {
    case .missing:
      return RunFailure(
        kind: .checkpointsMissing,
        message: "Cannot go on with run '\(plan.runID)': there is no checkpoint in '\(folder)', "
          + "and '\(lastManifest ?? "")' was committed; mount what holds the checkpoints, or set "
          + "checkpoint_folder to where they are, and start the run again, or train anew with "
          + "--overwrite.")
    case .unreadable(let message):
      return RunFailure(
        kind: .checkpointsUnreadable,
        message: "Cannot go on with run '\(plan.runID)': its checkpoints could not be read for "
          + "\(time); look at the disk that holds them, or move a checkpoint away that stays "
          + "unreadable, and start the run again. The last try: \(message)")
    case nil:
      return RunFailure(
        kind: .checkpointsUnreadable,
        message: "Cannot go on with run '\(plan.runID)': reading its checkpoints in '\(folder)' "
          + "has not ended after \(time); look at the disk that holds them, or raise the "
          + "start-up timeout, and start the run again.")
    }
  }
}
