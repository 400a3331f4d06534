import Coordinator
import Foundation
import Protocol
import Telemetry

/// What has happened in a run since its coordinator started, counted from its events. A value.
package struct RunTally: Sendable {
  /// By role.
  private(set) var joined: [NodeRole: Int] = [:]
  private(set) var lost: [NodeRole: Int] = [:]
  private(set) var refused: [NodeRole: Int] = [:]
  private(set) var rollbacks = 0
  private(set) var checkpointsCommitted = 0
  private(set) var checkpointsFailed = 0
  private(set) var checkpointSeconds = Histogram.ofDurations
  /// When the newest checkpoint was complete, seconds since 1970; of a run without one, its start.
  private(set) var checkpointTime: Double
  /// When a step, a block, an epoch or a member was last added, seconds since 1970.
  private(set) var progressTime: Double
  /// Steps trained since the start, also those trained again after a rollback.
  private(set) var steps: UInt64 = 0
  private(set) var epochsFinished: UInt32
  private(set) var latestEpoch: EpochSummary?
  private(set) var latestEvaluation: EvaluationSummary?
  /// The best epoch and its value of the selection metric.
  private(set) var best: (epoch: UInt32, value: Double)?
  /// Whether the loss was not a finite number.
  private(set) var hasDiverged = false

  private let plan: RunPlan
  /// The steps of the present epoch that are counted.
  private var stepsOfEpoch: UInt64 = 0
  private var latestProgress: (activity: RunEvent.Activity, done: UInt64)?

  /// - Parameter epochsFinished: of a resumed run, those before.
  init(plan: RunPlan, epochsFinished: UInt32, best: ModelSelection.Best?) {
    self.plan = plan
    self.epochsFinished = epochsFinished
    self.best = best.map { ($0.epoch, $0.value) }
    checkpointTime = Date().timeIntervalSince1970
    progressTime = checkpointTime
  }

  /// Interactions trained since the start, by the steps: exact at the end of every epoch.
  func examples(perEpoch count: UInt64) -> UInt64 {
    let perEpoch = UInt64(plan.stepsPerEpoch)
    guard perEpoch > 0 else { return 0 }
    return steps / perEpoch * count + steps % perEpoch * count / perEpoch
  }

  mutating func note(_ event: RunEvent) {
    switch event {
    case .nodeJoined(let role, _, _):
      joined[role, default: 0] += 1
      markProgress()
    case .nodeRefused(let role, _, _): refused[role, default: 0] += 1
    case .nodeLost(let role, _, _, _): lost[role, default: 0] += 1
    case .recovering(_, let version):
      rollbacks += 1
      stepsOfEpoch = steps(before: version)
    case .resumed(_, let version, _): stepsOfEpoch = steps(before: version)
    case .epochStarted: markProgress()
    case .progress(let activity, _, let done, _):
      if latestProgress.map({ $0 != (activity, done) }) ?? true { markProgress() }
      latestProgress = (activity, done)
      if activity == .train { count(to: done) }
    case .epochFinished(let summary):
      count(to: UInt64(plan.stepsPerEpoch))
      stepsOfEpoch = 0
      epochsFinished = max(epochsFinished, summary.epoch + 1)
      latestEpoch = summary
      markProgress()
    case .evaluated(let summary):
      latestEvaluation = summary
      markProgress()
    case .improved(_, let value, _, let epoch):
      best = (epoch, value)
    case .checkpointCommitted(_, let seconds):
      checkpointsCommitted += 1
      checkpointSeconds.observe(seconds)
      checkpointTime = Date().timeIntervalSince1970
    case .checkpointFailed: checkpointsFailed += 1
    case .stopping(let outcome):
      if case .failed(let failure) = outcome.ending { hasDiverged = failure.kind == .diverged }
    case .awaitingWorkers, .waiting, .idleWorkers, .otherKernels, .clusterFormed,
      .checkpointSearchFailed, .olderCheckpoint, .notImproved, .bestSaved, .bestNotSaved,
      .checkpointOverdue,
      .stopRequested:
      break
    }
  }

  private mutating func count(to done: UInt64) {
    guard done > stepsOfEpoch else { return }
    steps += done - stepsOfEpoch
    stepsOfEpoch = done
  }

  /// The steps of its epoch before a version.
  private func steps(before version: UInt64) -> UInt64 {
    let perEpoch = UInt64(plan.stepsPerEpoch) * UInt64(plan.roundsPerStep)
    return perEpoch > 0 ? version % perEpoch / UInt64(max(1, plan.roundsPerStep)) : 0
  }

  private mutating func markProgress() { progressTime = Date().timeIntervalSince1970 }
}
