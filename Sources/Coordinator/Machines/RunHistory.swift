/// What is recorded of a run's epochs and evaluations, as the run store has it. A rollback changes
/// nothing here: what is trained again is neither recorded nor evaluated twice, but for one case
/// (``isMeasured(_:in:)``).
package struct RunHistory: Sendable {
  private let plan: RunPlan
  /// Whether an earlier start of the coordinator has recorded anything.
  let isResumed: Bool
  /// Whether the run has begun, in this start of the coordinator or an earlier one.
  private(set) var hasBegun = false
  /// How many epochs are recorded. Never goes down.
  package private(set) var epochsFinished: UInt32 = 0
  /// The last epoch whose evaluation is recorded. Never goes down.
  private var lastEvaluatedEpoch: UInt32?
  /// The generation of the last evaluation; nil if an earlier start of the coordinator made it.
  private var evaluatedGeneration: UInt64?
  package private(set) var selection: ModelSelection
  /// Before the last evaluation.
  private var formerSelection: ModelSelection
  /// The best evaluation whose model is completely written.
  package private(set) var savedBest: ModelSelection.Best?

  /// - Parameter point: what is recorded of a run that is resumed.
  /// - Throws: ``CoordinationError`` when the plan does not fit what is recorded.
  package init(plan: RunPlan, resuming point: ResumePoint?) throws(CoordinationError) {
    self.plan = plan
    isResumed = point != nil
    selection = ModelSelection(rule: plan.selection)
    formerSelection = selection
    if let point { try restore(point) }
  }

  private mutating func restore(_ point: ResumePoint) throws(CoordinationError) {
    let progress = point.progress
    guard progress.epochsFinished <= plan.epochs else {
      throw contradiction(
        "\(progress.epochsFinished) epochs are recorded, and the run has \(plan.epochs); set the "
          + "number of epochs to at least as many")
    }
    epochsFinished = progress.epochsFinished
    hasBegun = progress.status != .forming
    for evaluation in point.evaluations {
      guard let value = evaluation.metrics[plan.selection.metric] else {
        throw contradiction(
          "the recorded evaluation after epoch \(evaluation.epoch) has no "
            + "'\(plan.selection.metric)'; select by the metric that the run was begun with")
      }
      // Nothing is trained before a best model is written, so all but the last are.
      savedBest = selection.best
      formerSelection = selection
      _ = selection.consider(value, epoch: evaluation.epoch, version: evaluation.version)
      lastEvaluatedEpoch = evaluation.epoch
    }
    if progress.isBestSaved || selection.best?.epoch != lastEvaluatedEpoch {
      savedBest = selection.best
    }
  }

  private func contradiction(_ reason: String) -> CoordinationError {
    CoordinationError(
      code: .wrongRun, message: "Cannot continue run '\(plan.runID)': \(reason).")
  }

  // MARK: What happens

  package mutating func noteBeginning() { hasBegun = true }

  /// The first epoch that was not recorded is trained.
  package mutating func noteEpochFinished() { epochsFinished += 1 }

  /// An epoch is evaluated. If it was before, that was of tables that are gone, and this replaces
  /// it.
  ///
  /// - Returns: whether it is the best epoch so far, and the best value before.
  package mutating func noteEvaluation(
    _ value: Double, of epoch: UInt32, version: UInt64, in generation: UInt64
  ) -> (verdict: ModelSelection.Verdict, previous: Double?) {
    if epoch == lastEvaluatedEpoch {
      selection = formerSelection
    } else {
      formerSelection = selection
    }
    let previous = selection.best?.value
    let verdict = selection.consider(value, epoch: epoch, version: version)
    lastEvaluatedEpoch = epoch
    evaluatedGeneration = generation
    return (verdict, previous)
  }

  package mutating func noteBestSaved() { savedBest = selection.best }

  // MARK: What is left to do

  /// Whether the model of the best epoch so far is written; false if there is none.
  package var isBestSaved: Bool { selection.best != nil && savedBest == selection.best }

  /// Whether an epoch's model is the best one and is not saved yet.
  package func isBestMissing(of epoch: UInt32) -> Bool {
    guard let best = selection.best else { return false }
    return best.epoch == epoch && best != savedBest
  }

  /// Whether an epoch's evaluation is recorded, or none is due.
  private func isEvaluated(_ epoch: UInt32) -> Bool {
    guard plan.isEvaluationDue(afterEpoch: epoch) else { return true }
    return lastEvaluatedEpoch.map { epoch <= $0 } ?? false
  }

  /// Whether an epoch needs no evaluation: none is due, or one is recorded that fits the tables of
  /// a generation where that matters, which is for a model that is about to be saved as the best.
  ///
  /// With `ssp` and `async`, retraining after a rollback gives different parameters, so the
  /// recorded metrics may not match them. Evaluating again is cheap and gives the same result for
  /// the same tables, so we do not try to detect whether the epoch was trained again.
  package func isMeasured(_ epoch: UInt32, in generation: UInt64) -> Bool {
    guard isEvaluated(epoch) else { return false }
    return plan.isExact || !isBestMissing(of: epoch) || evaluatedGeneration == generation
  }

  /// Whether the evaluation of an epoch was one too many without improvement.
  package func isExhausted(after epoch: UInt32) -> Bool {
    selection.isExhausted && epoch == lastEvaluatedEpoch
  }

  /// How a resumed run ended, if only the record of its end is missing.
  package var recordedEnding: RunOutcome.Ending? {
    guard isResumed, epochsFinished > 0, savedBest == selection.best,
      isEvaluated(epochsFinished - 1)
    else { return nil }
    if selection.isExhausted { return .earlyStopped }
    return epochsFinished == plan.epochs ? .completed : nil
  }

  // MARK: Invariants

  /// Reports rules that do not hold; see `CoordinatorState.brokenInvariants`.
  func checkInvariants(_ require: (Bool, String) -> Void) {
    require(epochsFinished <= plan.epochs, "no more epochs than planned")
    require((lastEvaluatedEpoch ?? 0) <= epochsFinished, "an epoch is trained, then evaluated")
    require(
      selection.nonImprovingCount <= plan.selection.patience + 1,
      "the run stops when patience is exceeded")
    require(
      (selection.best?.epoch ?? 0) <= epochsFinished, "the best epoch is not in the future")
  }

  /// Reports rules that do not hold between an earlier state and this one.
  func checkAdvance(over earlier: RunHistory, _ require: (Bool, String) -> Void) {
    require(
      epochsFinished >= earlier.epochsFinished, "the number of finished epochs never goes down")
    require(
      (lastEvaluatedEpoch ?? 0) >= (earlier.lastEvaluatedEpoch ?? 0),
      "the last evaluated epoch never goes down")
  }
}
