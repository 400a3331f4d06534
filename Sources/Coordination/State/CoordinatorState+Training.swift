import Messages

extension CoordinatorState {
  mutating func beginTraining(epoch: UInt32, at now: Double) -> [CoordinatorAction] {
    self.epoch = epoch
    let firstVersion = plan.firstVersion(ofEpoch: epoch)
    let work = deal(plan.shardCount, at: now) { shards in
      .train(epoch: epoch, firstVersion: firstVersion, shards: shards)
    }
    phase = .training(work)
    let workers = UInt32(work.assignments.count)
    return [.report(.epochStarted(epoch: epoch, workers: workers))] + tasks(of: work)
  }

  mutating func finishTraining(_ work: PhaseWork, at now: Double) -> [CoordinatorAction] {
    let values = UnitSums(work.reports).epochValues(stepsPerEpoch: plan.stepsPerEpoch)
    let broken = values.filter { $0.key.hasPrefix("loss.") && !$0.value.isFinite }.keys.sorted()
    if !broken.isEmpty { return end(.failed(divergence(in: broken))) }
    epochsFinished = epoch + 1
    let summary = EpochSummary(
      epoch: epoch, version: plan.firstVersion(ofEpoch: epochsFinished), values: values,
      seconds: now - work.startedAt)
    let actions = [record(.epochFinished(summary)), .report(.epochFinished(summary))]
    let next =
      plan.isEvaluationDue(afterEpoch: epoch)
      ? beginEvaluation(at: now) : beginNextEpoch(at: now)
    return actions + next
  }

  mutating func beginNextEpoch(at now: Double) -> [CoordinatorAction] {
    guard epochsFinished < plan.epochs else { return end(.completed) }
    return beginTraining(epoch: epochsFinished, at: now)
  }

  /// Deals the units of a phase to the workers and gives the tasks their ids.
  mutating func deal(
    _ unitCount: UInt32, unitsPerTask: Int = .max, at now: Double, body: ([UInt32]) -> TaskBody
  ) -> PhaseWork {
    let work = PhaseWork(
      unitCount: unitCount, unitsPerTask: unitsPerTask, workers: membership.workers,
      firstTaskID: nextTaskID, at: now, body: body)
    nextTaskID += work.taskCount
    for node in membership.workers { membership.setProgress(0, of: node) }
    return work
  }

  func tasks(of work: PhaseWork) -> [CoordinatorAction] {
    work.assignments.map { .send(.task($0.task), to: $0.node) }
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
