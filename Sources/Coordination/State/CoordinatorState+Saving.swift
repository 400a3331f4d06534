extension CoordinatorState {
  mutating func beginSaving(at now: Double) -> [CoordinatorAction] {
    phase = .saving(Saving(since: now))
    return [saveBest]
  }

  private var saveBest: CoordinatorAction {
    .saveBest(
      epoch: epoch, version: evaluatedVersion, generation: generation,
      endpoints: membership.dataEndpoints)
  }

  /// A large model takes its time; only one that does not come any nearer is given up.
  mutating func handleBestSaveMoved(at now: Double) -> [CoordinatorAction] {
    guard case .saving(var saving) = phase else { return ignore() }
    saving.movedAt = now
    phase = .saving(saving)
    return []
  }

  mutating func handleBestSaved(at now: Double) -> [CoordinatorAction] {
    guard case .saving(let saving) = phase else { return ignore() }
    savedBest = selection.best
    return [
      record(.bestSaved), .report(.bestSaved(epoch: epoch, seconds: now - saving.since)),
    ] + concludeEpoch(at: now)
  }

  /// A server that did not answer may be about to be given up, or was slow: the model is asked for
  /// again, or after the recovery.
  mutating func handleBestSaveFailed(
    _ reason: String, isTransient: Bool, at now: Double
  ) -> [CoordinatorAction] {
    guard case .saving(var saving) = phase else { return ignore() }
    guard isTransient else {
      let failure = RunFailure(
        kind: .bestNotSaved,
        message: "The best model, of epoch \(epoch), could not be saved: \(reason)")
      return end(.failed(failure))
    }
    saving.problem = reason
    guard now - saving.since < plan.timing.startupTimeout else {
      return end(.failed(stuck(saving)))
    }
    saving.retryAt = now + plan.timing.heartbeatInterval
    phase = .saving(saving)
    return []
  }

  mutating func retrySaving(at now: Double) -> [CoordinatorAction] {
    guard case .saving(var saving) = phase, let retryAt = saving.retryAt, now >= retryAt else {
      return []
    }
    saving.retryAt = nil
    phase = .saving(saving)
    return [saveBest]
  }

  /// Servers whose signs of life come may still be out of reach where they answer, and a disk may
  /// take for ever: nobody else would say so.
  mutating func limitSaving(at now: Double) -> [CoordinatorAction] {
    guard case .saving(let saving) = phase, now - saving.movedAt > plan.timing.startupTimeout
    else { return [] }
    return [.cancelSave] + end(.failed(stuck(saving)))
  }

  private func stuck(_ saving: Saving) -> RunFailure {
    let reason = saving.problem.map { " The last try: \($0)" } ?? ""
    // None where all roles are one process.
    let servers = membership.dataEndpoints.filter { $0.contains("://") }
    let reach =
      servers.isEmpty ? "" : "reaches the servers at \(servers.joined(separator: ", ")) and "
    return RunFailure(
      kind: .peerLost,
      message: "The best model, of epoch \(epoch), could not be saved: it came no nearer for "
        + "\(seconds(plan.timing.startupTimeout)); see that the coordinator's machine \(reach)can "
        + "write to the run directory, and start the run again.\(reason)")
  }

  /// Gives the saving up. The records say that the best model is missing, and a run that goes on
  /// makes up for it.
  mutating func giveUpSaving() -> [CoordinatorAction] {
    guard case .saving = phase else { return [] }
    phase = .resting
    return [.cancelSave, .report(.bestNotSaved(epoch: epoch))]
  }
}
