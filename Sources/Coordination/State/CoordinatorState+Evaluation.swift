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

  private mutating func beginMaterializing(at now: Double) -> [CoordinatorAction] {
    let (epoch, version) = (self.epoch, evaluatedVersion)
    let work = deal(
      plan.materializeBlockCount, unitsPerTask: Self.blocksPerTask, at: now
    ) { blocks in
      .materialize(version: version, epoch: epoch, blocks: blocks)
    }
    phase = .materializing(work)
    return tasks(of: work)
  }

  mutating func beginRanking(
    materializingSince start: Double, at now: Double
  ) -> [CoordinatorAction] {
    let (epoch, version) = (self.epoch, evaluatedVersion)
    let work = deal(
      plan.rankBlockCount, unitsPerTask: Self.blocksPerTask, at: now
    ) { blocks in
      .rank(version: version, epoch: epoch, blocks: blocks)
    }
    phase = .ranking(work, materializeSeconds: now - start)
    return tasks(of: work)
  }

  mutating func finishRanking(
    _ work: PhaseWork, materializeSeconds: Double, at now: Double
  ) -> [CoordinatorAction] {
    let (metrics, users) = UnitSums(work.reports).evaluationMeans()
    guard let value = metrics[plan.selection.metric] else {
      return end(.failed(missingMetric(among: metrics)))
    }
    let summary = EvaluationSummary(
      epoch: epoch, version: evaluatedVersion, metrics: metrics, users: users,
      materializeSeconds: materializeSeconds, rankSeconds: now - work.startedAt)
    let previous = selection.best?.value
    let verdict = selection.consider(value, epoch: epoch, version: evaluatedVersion)
    let actions = [
      record(.evaluated(summary)), .report(.evaluated(summary)),
      .report(news(of: verdict, value: value, previous: previous)),
    ]
    switch verdict {
    case .improved:
      phase = .saving(since: now)
      return actions + [.saveBest(epoch: epoch, version: evaluatedVersion)]
    case .notImproved: return actions + beginNextEpoch(at: now)
    case .exhausted: return actions + end(.earlyStopped)
    }
  }

  mutating func handleBestSaved(at now: Double) -> [CoordinatorAction] {
    guard case .saving(let since) = phase else { return ignore() }
    savedBest = selection.best
    let actions = [
      record(.bestSaved), .report(.bestSaved(epoch: epoch, seconds: now - since)),
    ]
    if let reason = pendingStopReason { return actions + end(.interrupted(reason: reason)) }
    return actions + beginNextEpoch(at: now)
  }

  mutating func handleBestSaveFailed(_ reason: String) -> [CoordinatorAction] {
    guard case .saving = phase else { return ignore() }
    let failure = RunFailure(
      kind: .bestNotSaved,
      message: "The best model, of epoch \(epoch), could not be saved: \(reason)")
    return end(.failed(failure))
  }

  private var evaluatedVersion: UInt64 { plan.firstVersion(ofEpoch: epochsFinished) }

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
