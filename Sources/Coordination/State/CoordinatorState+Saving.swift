extension CoordinatorState {
  mutating func beginSaving(at now: Double) -> [CoordinatorAction] {
    phase = .saving(since: now, retryAt: nil)
    return [saveBest]
  }

  private var saveBest: CoordinatorAction {
    .saveBest(
      epoch: epoch, version: evaluatedVersion, generation: generation,
      endpoints: membership.dataEndpoints)
  }

  mutating func handleBestSaved(at now: Double) -> [CoordinatorAction] {
    guard case .saving(let since, _) = phase else { return ignore() }
    savedBest = selection.best
    return [
      record(.bestSaved), .report(.bestSaved(epoch: epoch, seconds: now - since)),
    ] + concludeEpoch(at: now)
  }

  /// A server that did not answer may be about to be given up, or was slow: the model is asked for
  /// again, or after the recovery.
  mutating func handleBestSaveFailed(
    _ reason: String, isTransient: Bool, at now: Double
  ) -> [CoordinatorAction] {
    guard case .saving(let since, _) = phase else { return ignore() }
    if isTransient, now - since < plan.timing.startupTimeout {
      phase = .saving(since: since, retryAt: now + plan.timing.heartbeatInterval)
      return []
    }
    let failure = RunFailure(
      kind: .bestNotSaved,
      message: "The best model, of epoch \(epoch), could not be saved: \(reason)")
    return end(.failed(failure))
  }

  mutating func retrySaving(at now: Double) -> [CoordinatorAction] {
    guard case .saving(let since, let retryAt?) = phase, now >= retryAt else { return [] }
    phase = .saving(since: since, retryAt: nil)
    return [saveBest]
  }
}
