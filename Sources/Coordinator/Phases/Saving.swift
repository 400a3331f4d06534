import Protocol

/// The best model is read from the servers and written by the node. No worker has a task, since
/// the tables must not change.
struct Saving: Sendable, Equatable {
  private let since: Double
  /// When something was read or written last; when it was asked for if nothing was.
  private var movedAt: Double
  /// When to ask for it again.
  private var retryAt: Double?
  /// Why the latest attempt failed.
  private var problem: String?

  /// Saves the model of the epoch of `run`.
  static func begin(in run: RunContext, at now: Double) -> (Saving, [CoordinatorAction]) {
    let saving = Saving(since: now)
    return (saving, [saving.request(in: run)])
  }

  private init(since: Double) {
    self.since = since
    movedAt = since
  }

  private func request(in run: RunContext) -> CoordinatorAction {
    .saveBest(
      epoch: run.epoch, version: run.evaluatedVersion, generation: run.generation,
      endpoints: run.members.dataEndpoints)
  }

  /// Something more was read or written. A large model may take long, as long as it moves.
  mutating func moved(at now: Double) { movedAt = now }

  func saved(in run: inout RunContext, at now: Double) -> Step {
    run.history.noteBestSaved()
    return Step(
      actions: [
        run.record(.bestSaved), .report(.bestSaved(epoch: run.epoch, seconds: now - since)),
      ], transition: .concludeEpoch)
  }

  /// An attempt failed. A server that did not answer may be slow, so that another attempt can help,
  /// or lost, so that a rollback will follow.
  mutating func failed(
    _ reason: String, isTransient: Bool, in run: RunContext, at now: Double
  ) -> Step {
    guard isTransient else {
      return .end(
        RunFailure(
          kind: .bestNotSaved,
          message: "The best model, of epoch \(run.epoch), could not be saved: \(reason)"))
    }
    problem = reason
    guard now - since < run.plan.timing.startupTimeout else { return .end(stuck(in: run)) }
    retryAt = now + run.plan.timing.heartbeatInterval
    return Step()
  }

  /// Retries, and abandons a model that makes no progress: servers whose heartbeats come may be out
  /// of reach at the addresses where they answer, and a disk may hang. Nothing else would notice.
  mutating func tick(in run: RunContext, at now: Double) -> Step {
    if now - movedAt > run.plan.timing.startupTimeout {
      return .end(stuck(in: run), after: [.cancelSave])
    }
    guard let retryAt, now >= retryAt else { return Step() }
    self.retryAt = nil
    return Step(actions: [request(in: run)])
  }

  func wait(in run: RunContext) -> Wait? {
    Wait(
      what: "the best model, of epoch \(run.epoch), to be read from the servers and written",
      since: movedAt, limit: run.plan.timing.startupTimeout)
  }

  private func stuck(in run: RunContext) -> RunFailure {
    let reason = problem.map { " The last attempt: \($0)" } ?? ""
    // None where all roles are one process.
    let servers = run.members.dataEndpoints.filter { $0.contains("://") }
    let reach =
      servers.isEmpty ? "" : "reach the servers at \(servers.joined(separator: ", ")) and "
    return RunFailure(
      kind: .peerLost,
      message: "The best model, of epoch \(run.epoch), could not be saved: nothing was read or "
        + "written for \(run.plan.timing.startupTimeout.inSeconds); check that the coordinator's "
        + "machine can \(reach)write to the run directory, and start the run again.\(reason)")
  }

  /// Reports rules that do not hold; see `CoordinatorState.brokenInvariants`.
  func checkInvariants(in run: RunContext, _ require: (Bool, String) -> Void) {
    require(run.history.selection.best?.epoch == run.epoch, "what is saved is the best epoch")
    require(run.members.areServersReady, "saving needs all servers")
  }
}
