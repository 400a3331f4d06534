import Protocol

/// An epoch, or the rest of one after a rollback, is trained: its shards are leased to the workers
/// for all its steps. Entered from forming and at the end of an epoch; left for the end of the
/// epoch, or by a rollback.
struct Training: Sendable, Equatable {
  /// Units are the shards of a batch.
  var tasks: TaskDispatch

  /// Trains the epoch of `run` from the version that all servers have reached.
  static func begin(
    in run: inout RunContext, at now: Double
  ) -> (Training, [CoordinatorAction]) {
    var tasks = TaskDispatch(.train, unitCount: run.plan.shardCount, in: run, at: now)
    let messages = tasks.handOut(in: &run, at: now)
    let workers = UInt32(tasks.leases.outstanding.count)
    let start = tasks.progress(in: run)
    let news = CoordinatorAction.report(
      .epochStarted(
        epoch: run.epoch, workers: workers,
        share: Double(start.done) / Double(max(1, start.total))))
    return (Training(tasks: tasks), [news] + messages)
  }

  mutating func taskDone(
    _ id: UInt64, _ reports: [UnitReport], from node: NodeID, in run: inout RunContext,
    at now: Double
  ) -> Step {
    tasks.taskDone(id, reports, from: node, in: &run, at: now) ?? finish(in: &run, at: now)
  }

  private func finish(in run: inout RunContext, at now: Double) -> Step {
    let values = UnitSums(tasks.leases.reports).epochValues(stepsPerEpoch: run.plan.stepsPerEpoch)
    let broken = values.filter { $0.key.hasPrefix("loss.") && !$0.value.isFinite }.keys.sorted()
    if !broken.isEmpty { return .end(divergence(in: broken, in: run)) }
    // Trained again after a rollback: it is recorded, with the same values.
    guard run.epoch == run.history.epochsFinished else { return Step(transition: .concludeEpoch) }
    run.history.noteEpochFinished()
    let summary = EpochSummary(
      epoch: run.epoch, version: run.evaluatedVersion, values: values,
      seconds: now - tasks.leases.startedAt)
    return Step(
      actions: [run.record(.epochFinished(summary)), .report(.epochFinished(summary))],
      transition: .concludeEpoch)
  }

  private func divergence(in names: [String], in run: RunContext) -> RunFailure {
    let best =
      run.history.savedBest.map { "the best model so far, of epoch \($0.epoch), is kept" }
      ?? "no model was saved before"
    return RunFailure(
      kind: .diverged,
      message: "The loss of epoch \(run.epoch) is not a finite number "
        + "(\(names.joined(separator: ", "))); \(best). Lower the learning rate or the weights of "
        + "the loss terms named.")
  }
}
