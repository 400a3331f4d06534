import Tables

/// The run's optimizer with its clock: turns a version into the update of each table.
struct Optimizer: Sendable {
  let configuration: OptimizerConfiguration
  let schedule: StepSchedule
  private var groups: [ParameterGroup: any OptimizerSteps] = [:]

  init(_ configuration: OptimizerConfiguration, schedule: StepSchedule) {
    self.configuration = configuration
    self.schedule = schedule
    for group in ParameterGroup.allCases { groups[group] = configuration.rule.noSteps }
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

  /// What checkpoints say of the optimizer.
  var description: OptimizerDescription { configuration.rule.description }

  /// How the rows of a table lie in memory.
  func layout(of spec: TableSpec) -> RowLayout {
    description.layout(width: spec.width, rule: spec.rule)
  }

  /// Moves the clock over the end of a version; versions end in order, from 0.
  mutating func finish(_ version: UInt64) {
    for group in ParameterGroup.allCases
    where schedule.updates(.optimizer(group), atEndOf: version) {
      let rate = configuration.learningRate(of: group, epoch: schedule.epoch(ofVersion: version))
      groups[group]?.append(rate: rate)
    }
  }

  /// How the end of `version` (just finished) changes a table of this rule; nil: not at all.
  func update(of rule: UpdateRule, atEndOf version: UInt64) -> RowUpdate? {
    guard schedule.updates(rule, atEndOf: version) else { return nil }
    switch rule {
    case .assigned: return nil
    case .movingAverage(let rate): return .average(rate: rate)
    case .optimizer(let group): return groups[group].map(RowUpdate.optimizer)
    }
  }

  /// What a row of this rule may have to make up for before it is read; nil: nothing.
  func catchUp(of rule: UpdateRule) -> (any OptimizerSteps)? {
    guard case .optimizer(let group) = rule, configuration.rule.untouchedRows == .moveWhenUsed
    else { return nil }
    return groups[group]
  }

  /// How many updates a group has had.
  func stepCount(of group: ParameterGroup) -> Int { groups[group]?.count ?? 0 }
}

/// One update of the rows of a table: what to do with a row and its summed gradient.
enum RowUpdate {
  case optimizer(any OptimizerSteps)
  /// The pushed values replace the row at its first update and are mixed in afterwards.
  case average(rate: Float)
}
