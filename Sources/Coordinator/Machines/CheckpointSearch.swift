import Protocol

/// The search for the newest checkpoint, which the node makes and which is repeated when it fails.
///
/// Rolling back further instead, to an older checkpoint or to the beginning, would throw training
/// away; and the newer checkpoints with it, which would count as older than those that are written
/// next.
struct CheckpointSearch: Sendable, Equatable {
  private enum Problem: Sendable, Equatable {
    /// The disk could not be read; the message says why.
    case unreadable(String)
    /// There is no checkpoint, although one was committed.
    case missing
  }

  /// Why the latest search failed; nil if none has failed.
  private var problem: Problem?
  /// When to search again; nil while a search is under way.
  private var retryAt: Double?

  /// The disk could not be read.
  ///
  /// - Returns: a warning, if it is not the same as before.
  mutating func fail(
    _ message: String, in run: RunContext, at now: Double
  ) -> [CoordinatorAction] {
    fail(.unreadable(message), in: run, at: now)
  }

  /// There was no checkpoint, although one was committed: its place may not be mounted.
  ///
  /// - Returns: a warning, if it is not the same as before.
  mutating func failMissing(in run: RunContext, at now: Double) -> [CoordinatorAction] {
    fail(.missing, in: run, at: now)
  }

  private mutating func fail(
    _ problem: Problem, in run: RunContext, at now: Double
  ) -> [CoordinatorAction] {
    defer {
      self.problem = problem
      retryAt = now + run.plan.timing.heartbeatInterval
    }
    guard self.problem != problem else { return [] }
    return [.report(.checkpointSearchFailed(message: warning(of: problem, in: run)))]
  }

  /// Searches again when it is time.
  mutating func tick(at now: Double) -> [CoordinatorAction] {
    guard let retryAt, now >= retryAt else { return [] }
    self.retryAt = nil
    return [.findCheckpoint]
  }

  // MARK: Messages

  private func warning(of problem: Problem, in run: RunContext) -> String {
    switch problem {
    case .unreadable(let message): message
    case .missing:
      "There is no checkpoint in '\(folder(in: run))', although '\(lastManifest(in: run))' was "
        + "committed; check that the disk with the checkpoints is mounted."
    }
  }

  /// Why the run fails when the search has taken as long as it may.
  func failure(after timeout: Double, in run: RunContext) -> RunFailure {
    let purpose = "Cannot resume run '\(run.plan.runID)'"
    switch problem {
    case .missing:
      return RunFailure(
        kind: .checkpointsMissing,
        message: "\(purpose): there is no checkpoint in '\(folder(in: run))', although "
          + "'\(lastManifest(in: run))' was committed; mount the disk with the checkpoints, or set "
          + "checkpoint_folder to where they are, and start the run again, or train from scratch "
          + "with --overwrite.")
    case .unreadable(let message):
      return RunFailure(
        kind: .checkpointsUnreadable,
        message: "\(purpose): its checkpoints could not be read for \(timeout.inSeconds); "
          + "check the disk that holds them, or move a checkpoint away that stays unreadable, and "
          + "start the run again. The last attempt: \(message)")
    case nil:
      return RunFailure(
        kind: .checkpointsUnreadable,
        message: "\(purpose): reading its checkpoints in '\(folder(in: run))' has not ended after "
          + "\(timeout.inSeconds); check the disk that holds them, or raise the start-up timeout, "
          + "and start the run again.")
    }
  }

  private func folder(in run: RunContext) -> String { run.plan.checkpoints?.folder ?? "" }

  private func lastManifest(in run: RunContext) -> String { run.checkpoints.lastManifest ?? "" }
}
