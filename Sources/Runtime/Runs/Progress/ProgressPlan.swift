import Coordinator

/// What a run intends, as far as its progress lines show it.
package struct ProgressPlan: Sendable, Equatable {
  package var evaluations: EvaluationSchedule
  package var selection: SelectionRule
  /// How many workers the run is meant for.
  package var workerCount: UInt32
  /// Training interactions.
  package var examplesPerEpoch: UInt64

  package init(
    evaluations: EvaluationSchedule, selection: SelectionRule, workerCount: UInt32,
    examplesPerEpoch: UInt64
  ) {
    self.evaluations = evaluations
    self.selection = selection
    self.workerCount = workerCount
    self.examplesPerEpoch = examplesPerEpoch
  }

  init(_ plan: RunPlan, examplesPerEpoch: UInt64) {
    self.init(
      evaluations: plan.evaluations, selection: plan.selection, workerCount: plan.workerCount,
      examplesPerEpoch: examplesPerEpoch)
  }

  /// The metric that chooses the best epoch: `valid recall@20`.
  var metric: String { selection.metric.split(separator: ".").joined(separator: " ") }

  /// The same without its split: `recall@20`.
  var shortMetric: String {
    selection.metric.split(separator: ".", maxSplits: 1).last.map(String.init) ?? ""
  }

  /// The first line of a run: how its epochs are counted, and when it may end early.
  var sentence: String {
    let last = evaluations.epochs - min(1, evaluations.epochs)
    let count = last == 0 ? "epoch 0 only" : "epochs 0 to \(last)"
    let misses = UInt64(selection.patience) + 1
    guard evaluations.next(afterFinishing: 0, count: misses + 1) < UInt64(evaluations.epochs)
    else { return count }
    return "\(count); ends early if \(metric) is not better "
      + ProgressFormat.count(Int(misses), "time") + (misses == 1 ? "" : " in a row")
  }
}
