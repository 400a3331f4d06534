import Protocol

/// An epoch is evaluated: first workers compute the final vectors that are not tables (materialize)
/// and write them to the servers, then they rank all items for all users. Both are done in blocks.
///
/// Materializing alone also prepares the saving of a best model whose ranking is recorded, after a
/// rollback to a checkpoint of the end of its epoch: that has no final vectors.
struct Evaluation: Sendable, Equatable {
  private enum Stage: Sendable, Equatable {
    /// - since: when the first round began.
    case materializing(round: UInt32, since: Double)
    /// - seconds: what materializing took.
    case ranking(materializeSeconds: Double)
  }

  /// Blocks of one task at most.
  static let blocksPerTask = 512

  private var stage: Stage
  /// Units are blocks of final vectors or of users.
  var tasks: TaskDispatch

  /// Computes the final vectors of the epoch of `run`.
  static func materialize(
    in run: inout RunContext, at now: Double
  ) -> (Evaluation, [CoordinatorAction]) {
    begin(
      .materializing(round: 0, since: now), materialize(round: 0, in: run, at: now), in: &run,
      at: now)
  }

  /// The blocks of a round, which may depend on those of the round before.
  private static func materialize(
    round: UInt32, in run: RunContext, at now: Double
  ) -> TaskDispatch {
    let count = run.plan.materializeBlockCount / run.plan.materializeRoundCount
    return TaskDispatch(
      .materialize, firstUnit: round * count, unitCount: count, unitsPerTask: blocksPerTask,
      in: run, at: now)
  }

  /// Ranks with the final vectors of the epoch of `run`.
  ///
  /// - Parameter start: when materializing began; `now` if there was nothing to materialize.
  static func rank(
    materializingSince start: Double, in run: inout RunContext, at now: Double
  ) -> (Evaluation, [CoordinatorAction]) {
    begin(
      .ranking(materializeSeconds: now - start),
      TaskDispatch(
        .rank, unitCount: run.plan.rankBlockCount,
        unitsPerTask: min(blocksPerTask, run.plan.rankBlocksPerTask),
        exposure: run.plan.exposure.map(ExposureTotals.init), in: run, at: now),
      in: &run, at: now)
  }

  private static func begin(
    _ stage: Stage, _ tasks: TaskDispatch, in run: inout RunContext, at now: Double
  ) -> (Evaluation, [CoordinatorAction]) {
    var evaluation = Evaluation(stage: stage, tasks: tasks)
    let messages = evaluation.tasks.handOut(in: &run, at: now)
    return (evaluation, messages)
  }

  private init(stage: Stage, tasks: TaskDispatch) {
    self.stage = stage
    self.tasks = tasks
  }

  mutating func taskDone(
    _ id: UInt64, _ reports: [UnitReport], from node: NodeID, in run: inout RunContext,
    at now: Double
  ) -> Step {
    if let step = tasks.taskDone(id, reports, from: node, in: &run, at: now) { return step }
    switch stage {
    case .materializing(let round, let since):
      return finishMaterializing(round, since: since, in: &run, at: now)
    case .ranking(let seconds): return finishRanking(after: seconds, in: &run, at: now)
    }
  }

  /// The next round is next, and after the last one the ranking, unless it is recorded and only the
  /// best model is missing.
  private mutating func finishMaterializing(
    _ round: UInt32, since start: Double, in run: inout RunContext, at now: Double
  ) -> Step {
    guard round + 1 == run.plan.materializeRoundCount else {
      stage = .materializing(round: round + 1, since: start)
      tasks = Self.materialize(round: round + 1, in: run, at: now)
      return Step(actions: tasks.handOut(in: &run, at: now))
    }
    run.tables.noteMaterialized(run.epoch)
    let isMeasured = run.history.isMeasured(run.epoch, in: run.generation)
    return Step(
      transition: isMeasured
        ? .concludeEpoch : .rank(materializingSince: start))
  }

  private func finishRanking(
    after materializeSeconds: Double, in run: inout RunContext, at now: Double
  ) -> Step {
    let (means, users) = UnitSums(tasks.leases.reports).evaluationMeans()
    var metrics = means
    if let exposure = tasks.exposure {
      metrics.merge(exposure.values(ofSplits: users.keys)) { $1 }
    }
    guard let value = metrics[run.plan.selection.metric] else {
      return .end(missingMetric(among: metrics, in: run))
    }
    let summary = EvaluationSummary(
      epoch: run.epoch, version: run.evaluatedVersion, metrics: metrics, users: users,
      materializeSeconds: materializeSeconds, rankSeconds: now - tasks.leases.startedAt)
    let (verdict, previous) = run.history.noteEvaluation(
      value, of: run.epoch, version: run.evaluatedVersion, in: run.generation)
    let rule = run.plan.selection
    let news: RunEvent =
      verdict == .improved
      ? .improved(metric: rule.metric, value: value, previous: previous, epoch: run.epoch)
      : .notImproved(
        best: run.history.selection.best, count: run.history.selection.nonImprovingCount)
    return Step(
      actions: [run.record(.evaluated(summary)), .report(.evaluated(summary)), .report(news)],
      transition: .concludeEpoch)
  }

  private func missingMetric(
    among metrics: [String: Double], in run: RunContext
  ) -> RunFailure {
    let known = metrics.keys.sorted().joined(separator: ", ")
    return RunFailure(
      kind: .metricMissing,
      message: "The evaluation after epoch \(run.epoch) has no '\(run.plan.selection.metric)' to "
        + "select by; it has \(known.isEmpty ? "no metrics at all" : known): select by one of "
        + "those, or check that the split has users.")
  }
}
