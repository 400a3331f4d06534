internal import CKernels
import Foundation
import Tables

/// The run's optimizer with its clock: turns a version into the update of each table.
struct Optimizer: Sendable {
  let configuration: OptimizerConfiguration
  let schedule: StepSchedule
  /// Adam's numbers of every finished step of a group: a row of a `lazyExact` table may have missed
  /// any of them. Eight bytes per step of the run.
  private var adamSteps: [ParameterGroup: [mrdib_adam_step]] = [:]

  init(_ configuration: OptimizerConfiguration, schedule: StepSchedule) {
    self.configuration = configuration
    self.schedule = schedule
    for group in ParameterGroup.allCases { adamSteps[group] = [] }
  }

  /// The optimizer as it is when the tables have reached a version.
  ///
  /// - Throws: ``ParameterServerError`` with code `checkpoint` for a version that no run has.
  init(
    _ configuration: OptimizerConfiguration, schedule: StepSchedule, atVersion version: UInt64
  ) throws(ParameterServerError) {
    // Rows carry the number of their last update in 32 bits.
    guard version <= UInt32.max else {
      throw ParameterServerError(
        .checkpoint,
        """
        The checkpoint is at version \(version), more than the \(UInt32.max) that a run can have: \
        use another checkpoint.
        """)
    }
    self.init(configuration, schedule: schedule)
    for past in 0..<version { finish(past) }
  }

  /// How the rows of a table lie in memory.
  func layout(of spec: TableSpec) -> RowLayout {
    switch (spec.rule, configuration.kind) {
    case (.optimizer, .sgd), (.assigned, _):
      RowLayout(width: spec.width, stateCount: 0, tracksUpdates: false)
    case (.optimizer, .adagrad):
      RowLayout(width: spec.width, stateCount: 1, tracksUpdates: false)
    case (.optimizer, .adam(_, _, _, let mode)):
      RowLayout(width: spec.width, stateCount: 2, tracksUpdates: mode == .lazyExact)
    case (.movingAverage, _):
      RowLayout(width: spec.width, stateCount: 0, tracksUpdates: true)
    }
  }

  /// Moves the clock over the end of a version; versions end in order, from 0.
  mutating func finish(_ version: UInt64) {
    guard case .adam(let beta1, let beta2, _, _) = configuration.kind else { return }
    for group in ParameterGroup.allCases
    where schedule.updates(.optimizer(group), atEndOf: version) {
      let step = schedule.updateCount(of: group, beforeVersion: version) + 1
      let rate = configuration.learningRate(of: group, epoch: schedule.epoch(ofVersion: version))
      adamSteps[group, default: []].append(
        mrdib_adam_step(
          step_size: Float(rate / (1 - pow(beta1, Double(step)))),
          inverse_root: Float(1 / (1 - pow(beta2, Double(step))).squareRoot())))
    }
  }

  /// How the end of `version` (just finished) changes a table of this rule; nil: not at all.
  func update(of rule: UpdateRule, atEndOf version: UInt64) -> RowUpdate? {
    guard schedule.updates(rule, atEndOf: version) else { return nil }
    switch rule {
    case .assigned: return nil
    case .movingAverage(let rate): return .average(rate: rate)
    case .optimizer(let group):
      let rate = Float(
        configuration.learningRate(of: group, epoch: schedule.epoch(ofVersion: version)))
      switch configuration.kind {
      case .sgd: return .sgd(rate: rate)
      case .adagrad(let epsilon): return .adagrad(rate: rate, epsilon: Float(epsilon))
      case .adam: return adamUpdate(of: group).map(RowUpdate.adam)
      }
    }
  }

  /// What a row of this rule may have to make up for before it is read; nil: nothing.
  func catchUp(of rule: UpdateRule) -> AdamUpdate? {
    guard case .optimizer(let group) = rule, let update = adamUpdate(of: group),
      update.mode == .lazyExact
    else { return nil }
    return update
  }

  /// How many updates a group has had.
  func adamStepCount(of group: ParameterGroup) -> Int { adamSteps[group, default: []].count }

  private func adamUpdate(of group: ParameterGroup) -> AdamUpdate? {
    guard case .adam(let beta1, let beta2, let epsilon, let mode) = configuration.kind else {
      return nil
    }
    let constants = mrdib_adam_constants(
      beta1: Float(beta1), complement1: Float(1 - beta1), beta2: Float(beta2),
      complement2: Float(1 - beta2), epsilon: Float(epsilon))
    return AdamUpdate(constants: constants, mode: mode, steps: adamSteps[group, default: []])
  }
}
