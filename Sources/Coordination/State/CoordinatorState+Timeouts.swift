import Enrollment

extension CoordinatorState {
  mutating func handleTick(at now: Double) -> [CoordinatorAction] {
    // After one of them has ended the run the others find nothing to do.
    var actions = giveUpSilentNodes(at: now)
    actions += limitForming(at: now)
    actions += limitWorkerless(at: now)
    actions += retrySearch(at: now)
    actions += beginIfFormed(at: now)
    actions += limitSaving(at: now)
    actions += retrySaving(at: now)
    actions += limitStop(at: now)
    actions += tendCheckpoints(at: now)
    actions += tellOfWaiting(at: now)
    return actions
  }

  private mutating func giveUpSilentNodes(at now: Double) -> [CoordinatorAction] {
    let timeout = plan.timing.heartbeatTimeout
    var actions: [CoordinatorAction] = []
    for node in membership.silent(for: timeout, at: listening.seconds) where !isEnded {
      actions += lose(node, how: "no sign of life within \(seconds(timeout))", at: now)
    }
    return actions
  }

  private mutating func limitForming(at now: Double) -> [CoordinatorAction] {
    let timeout = plan.timing.startupTimeout
    guard case .forming(let forming) = phase, let since = forming.since ?? startedAt,
      now - since > timeout
    else { return [] }
    if let failure = searchFailure(after: seconds(timeout)) { return end(.failed(failure)) }
    return end(
      .failed(
        RunFailure(
          kind: .peerLost,
          message: "The cluster of run '\(plan.runID)' is not complete after "
            + "\(seconds(timeout)): \(missing)\(lastLoss); start what is missing "
            + "with this coordinator's address, or raise the start-up timeout.")))
  }

  private mutating func limitWorkerless(at now: Double) -> [CoordinatorAction] {
    let timeout = plan.timing.startupTimeout
    guard let workerlessSince, now - workerlessSince > timeout else { return [] }
    return end(
      .failed(
        RunFailure(
          kind: .peerLost,
          message: "The run ends in epoch \(epoch) because no worker was there for "
            + "\(seconds(timeout))\(lastLoss); look at the workers' logs and start the run again."))
    )
  }

  /// What became of the last worker, for people.
  private var lastLoss: String { lastLostWorker.map { " (\($0.fate))" } ?? "" }

  func seconds(_ value: Double) -> String {
    "\((value * 10).rounded() / 10) s"
  }
}
