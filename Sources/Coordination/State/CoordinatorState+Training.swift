import Messages

extension CoordinatorState {
  /// Trains an epoch, or the rest of one, from the version that all servers have reached.
  mutating func beginTraining(_ epoch: UInt32, at now: Double) -> [CoordinatorAction] {
    if stop != nil { return rest() }
    self.epoch = epoch
    phase = .training(
      PhaseWork(unitCount: plan.shardCount, workerCount: membership.readyWorkers.count, at: now))
    let tasks = handOut(at: now)
    let workers = UInt32(work?.outstanding.count ?? 0)
    return [.report(.epochStarted(epoch: epoch, workers: workers))] + tasks
  }

  mutating func finishTraining(_ work: PhaseWork, at now: Double) -> [CoordinatorAction] {
    let values = UnitSums(work.reports).epochValues(stepsPerEpoch: plan.stepsPerEpoch)
    let broken = values.filter { $0.key.hasPrefix("loss.") && !$0.value.isFinite }.keys.sorted()
    if !broken.isEmpty { return end(.failed(divergence(in: broken))) }
    // Trained again after a loss: it is recorded, and came to the same.
    guard epoch == epochsFinished else { return concludeEpoch(at: now) }
    epochsFinished = epoch + 1
    let summary = EpochSummary(
      epoch: epoch, version: plan.firstVersion(ofEpoch: epochsFinished), values: values,
      seconds: now - work.startedAt)
    return [record(.epochFinished(summary)), .report(.epochFinished(summary))]
      + concludeEpoch(at: now)
  }

  /// What is left to do at the end of an epoch, with its tables still there: what is recorded
  /// already is not done again.
  mutating func concludeEpoch(at now: Double) -> [CoordinatorAction] {
    guard isMeasured else { return beginEvaluation(at: now) }
    if isBestMissing {
      // A checkpoint of the end of an epoch does not have the final vectors that come after it.
      let lacksFinals = plan.materializeBlockCount > 0 && materializedEpoch != epoch
      return lacksFinals ? beginMaterializing(at: now) : beginSaving(at: now)
    }
    if selection.isExhausted, epoch == lastEvaluatedEpoch { return end(.earlyStopped) }
    guard epoch + 1 < plan.epochs else { return end(.completed) }
    return beginTraining(epoch + 1, at: now)
  }

  /// The version at which workers of an epoch begin: all servers have reached it.
  var startVersion: UInt64 {
    let end = plan.firstVersion(ofEpoch: epoch + 1)
    return min(max(plan.firstVersion(ofEpoch: epoch), membership.lowestVersion), end)
  }

  private func divergence(in names: [String]) -> RunFailure {
    let best =
      savedBest.map { "the best model so far, of epoch \($0.epoch), is kept" }
      ?? "no model was saved before"
    return RunFailure(
      kind: .diverged,
      message: "The loss of epoch \(epoch) is not a finite number "
        + "(\(names.joined(separator: ", "))); \(best). Lower the learning rate or the weights of "
        + "the loss terms named.")
  }
}
