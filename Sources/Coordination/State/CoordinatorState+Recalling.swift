extension CoordinatorState {
  /// Takes over what was recorded of the run.
  mutating func recall(_ point: ResumePoint) throws(CoordinationError) {
    let standing = point.standing
    guard standing.epochsFinished <= plan.epochs else {
      throw contradiction(
        "\(standing.epochsFinished) epochs are recorded, and the run has \(plan.epochs); set the "
          + "number of epochs to at least as many")
    }
    generation = max(1, standing.generation)
    epochsFinished = standing.epochsFinished
    hasBegun = standing.status != .forming
    checkpoints.noteNewest(point.newestVersion)
    lastManifest = point.lastManifest
    for evaluation in point.evaluations {
      guard let value = evaluation.metrics[plan.selection.metric] else {
        throw contradiction(
          "the recorded evaluation after epoch \(evaluation.epoch) has no "
            + "'\(plan.selection.metric)'; select by the metric that the run was begun with")
      }
      // Nothing is trained before a best model is written, so that all but the last are.
      savedBest = selection.best
      formerSelection = selection
      _ = selection.consider(value, epoch: evaluation.epoch, version: evaluation.version)
      lastEvaluatedEpoch = evaluation.epoch
    }
    if standing.isBestSaved || selection.best?.epoch != lastEvaluatedEpoch {
      savedBest = selection.best
    }
  }

  /// How the run ended by what is recorded, when only the record of the end itself is missing.
  public var recordedEnding: RunOutcome.Ending? {
    guard isResumed, epochsFinished > 0, savedBest == selection.best,
      isEvaluated(epochsFinished - 1)
    else { return nil }
    if selection.isExhausted { return .earlyStopped }
    return epochsFinished == plan.epochs ? .completed : nil
  }

  /// Whether an epoch's evaluation is recorded, or none is due.
  func isEvaluated(_ epoch: UInt32) -> Bool {
    guard plan.isEvaluationDue(afterEpoch: epoch) else { return true }
    return lastEvaluatedEpoch.map { epoch <= $0 } ?? false
  }

  private func contradiction(_ reason: String) -> CoordinationError {
    CoordinationError(
      code: .wrongRun, message: "Cannot continue run '\(plan.runID)': \(reason).")
  }
}
