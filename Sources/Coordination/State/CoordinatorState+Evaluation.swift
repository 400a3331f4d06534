import Messages

extension CoordinatorState {
  /// Blocks of one task at most: the reports of so many, each with as many sums as the wire takes,
  /// fit one message.
  public static let blocksPerTask = 512

  /// Starts an evaluation. Models whose final vectors are their tables have nothing to compute
  /// before the ranking.
  mutating func beginEvaluation(at now: Double) -> [CoordinatorAction] {
    plan.materializeBlockCount > 0
      ? beginMaterializing(at: now) : beginRanking(materializingSince: now, at: now)
  }

  mutating func beginMaterializing(at now: Double) -> [CoordinatorAction] {
    if stop != nil { return rest() }
    phase = .materializing(cut(plan.materializeBlockCount, at: now))
    return handOut(at: now)
  }

  /// The ranking comes next, unless it is recorded and only the best model is missing.
  mutating func finishMaterializing(_ work: PhaseWork, at now: Double) -> [CoordinatorAction] {
    materializedEpoch = epoch
    return isMeasured
      ? concludeEpoch(at: now) : beginRanking(materializingSince: work.startedAt, at: now)
  }

  private mutating func beginRanking(
    materializingSince start: Double, at now: Double
  ) -> [CoordinatorAction] {
    if stop != nil { return rest() }
    exposureTotals = plan.exposure.map(ExposureTotals.init)
    let blocksPerTask = min(Self.blocksPerTask, plan.exposure?.blocksPerTask ?? .max)
    phase = .ranking(
      cut(plan.rankBlockCount, blocksPerTask: blocksPerTask, at: now),
      materializeSeconds: now - start)
    return handOut(at: now)
  }

  private func cut(
    _ blockCount: UInt32, blocksPerTask: Int = Self.blocksPerTask, at now: Double
  ) -> PhaseWork {
    PhaseWork(
      unitCount: blockCount, unitsPerTask: blocksPerTask,
      workerCount: membership.readyWorkers.count, at: now)
  }

  mutating func finishRanking(
    _ work: PhaseWork, materializeSeconds: Double, at now: Double
  ) -> [CoordinatorAction] {
    let (means, users) = UnitSums(work.reports).evaluationMeans()
    var metrics = means
    if let exposureTotals { metrics.merge(exposureTotals.values(ofSplits: users.keys)) { $1 } }
    exposureTotals = nil
    guard let value = metrics[plan.selection.metric] else {
      return end(.failed(missingMetric(among: metrics)))
    }
    let summary = EvaluationSummary(
      epoch: epoch, version: evaluatedVersion, metrics: metrics, users: users,
      materializeSeconds: materializeSeconds, rankSeconds: now - work.startedAt)
    // The one before was of tables that are gone.
    if epoch == lastEvaluatedEpoch {
      selection = formerSelection
    } else {
      formerSelection = selection
    }
    let previous = selection.best?.value
    let verdict = selection.consider(value, epoch: epoch, version: evaluatedVersion)
    lastEvaluatedEpoch = epoch
    evaluatedGeneration = generation
    return [
      record(.evaluated(summary)), .report(.evaluated(summary)),
      .report(news(of: verdict, value: value, previous: previous)),
    ] + concludeEpoch(at: now)
  }

  /// Whether the epoch's evaluation is recorded, or none is due, and it is one of these tables, as
  /// far as that matters: a model that is saved as the best is the one that was measured.
  ///
  /// Where rows may be stale, an epoch that was trained again came to other tables. It was if the
  /// tables went back since, and a checkpoint of its end was not there; that nobody needs to find
  /// out: another evaluation of the same tables comes to the same.
  var isMeasured: Bool {
    guard isEvaluated(epoch) else { return false }
    return plan.isExact || !isBestMissing || evaluatedGeneration == generation
  }

  /// Whether the epoch's model is the best one and is not saved yet.
  var isBestMissing: Bool {
    guard let best = selection.best else { return false }
    return best.epoch == epoch && best != savedBest
  }

  /// The version of the tables after the epoch.
  var evaluatedVersion: UInt64 { plan.firstVersion(ofEpoch: epoch + 1) }

  private func news(
    of verdict: ModelSelection.Verdict, value: Double, previous: Double?
  ) -> RunEvent {
    let rule = plan.selection
    return verdict == .improved
      ? .improved(metric: rule.metric, value: value, previous: previous, epoch: epoch)
      : .notImproved(
        metric: rule.metric, count: selection.nonImprovingCount, patience: rule.patience)
  }

  private func missingMetric(among metrics: [String: Double]) -> RunFailure {
    let known = metrics.keys.sorted().joined(separator: ", ")
    return RunFailure(
      kind: .metricMissing,
      message:
        "The evaluation after epoch \(epoch) has no '\(plan.selection.metric)' to select "
        + "by; it has \(known.isEmpty ? "no metrics at all" : known): select by one of those, or "
        + "check that the split has users.")
  }
}
