import Coordinator
import Runtime

extension RunEvent {
  /// An epoch that took 2 s is trained.
  static func finished(_ epoch: UInt32, loss: Double = 0.41234) -> RunEvent {
    .epochFinished(
      EpochSummary(
        epoch: epoch, version: 8, values: ["loss.total": loss, "loss.bpr": loss], seconds: 2))
  }
}

extension ProgressView {
  /// Of a run with 100,000 examples per epoch.
  static func of(
    _ style: ProgressStyle, detail: ProgressDetail = .normal,
    epochs: UInt32 = 10, interval: UInt32 = 1, metric: String = "valid.recall@20",
    patience: UInt32 = 20, examples: UInt64 = 100_000,
    selection: ModelSelection? = nil
  ) -> ProgressView {
    ProgressView(
      style: style, detail: detail,
      plan: ProgressPlan(
        evaluations: EvaluationSchedule(epochs: epochs, interval: interval),
        selection: SelectionRule(metric: metric, patience: patience), workerCount: 2,
        examplesPerEpoch: examples),
      selection: selection)
  }

  /// An epoch is trained and evaluated.
  ///
  /// - Parameter best: the best so far, if this evaluation is not.
  @discardableResult
  mutating func finish(
    _ epoch: UInt32, value: Double, loss: Double = 0.41234, metric: String = "valid.recall@20",
    best: (epoch: UInt32, value: Double)? = nil, misses: UInt32 = 0, at now: Double
  ) -> [Output] {
    handle(.finished(epoch, loss: loss), at: now)
      + evaluate(epoch, value: value, metric: metric, best: best, misses: misses, at: now)
  }

  mutating func evaluate(
    _ epoch: UInt32, value: Double, metric: String = "valid.recall@20",
    others: [String: Double] = [:], best: (epoch: UInt32, value: Double)? = nil,
    misses: UInt32 = 0, at now: Double
  ) -> [Output] {
    let summary = EvaluationSummary(
      epoch: epoch, version: 8, metrics: others.merging([metric: value]) { $1 }, users: [:],
      materializeSeconds: 0, rankSeconds: 1)
    let verdict: RunEvent =
      best.map { best in
        .notImproved(
          best: .init(epoch: best.epoch, version: 8, value: best.value), count: misses)
      } ?? .improved(metric: metric, value: value, previous: nil, epoch: epoch)
    return handle(.evaluated(summary), at: now) + handle(verdict, at: now)
  }
}
