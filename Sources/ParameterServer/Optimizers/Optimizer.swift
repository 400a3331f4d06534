import Tables

/// The run's optimizer with the steps of each parameter group: gives the update of each table at
/// the end of a version.
struct Optimizer: Sendable {
  let configuration: OptimizerConfiguration
  let schedule: StepSchedule
  private var groups: [ParameterGroup: any OptimizerSteps] = [:]

  init(_ configuration: OptimizerConfiguration, schedule: StepSchedule) {
    self.configuration = configuration
    self.schedule = schedule
    for group in ParameterGroup.allCases { groups[group] = configuration.rule.noSteps }
  }

  /// The optimizer after all updates before a version.
  ///
  /// - Throws: ``ParameterServerError`` with code `checkpoint` for a version above 2³² − 1.
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

  /// The optimizer's name and states, as checkpoints record them.
  var description: OptimizerDescription { configuration.description }

  /// The memory layout of a table's rows.
  func layout(of spec: TableSpec) -> RowLayout {
    description.layout(width: spec.width, rule: spec.rule)
  }

  /// Counts the updates at the end of a version. Must be called for versions in order, from 0.
  mutating func finish(_ version: UInt64) {
    for group in ParameterGroup.allCases
    where schedule.updates(.optimizer(group), atEndOf: version) {
      let rate = configuration.learningRate(of: group, epoch: schedule.epoch(ofVersion: version))
      groups[group]?.append(rate: rate)
    }
  }

  /// The update of a table of this rule at the end of `version`, which was just finished; nil if
  /// there is none.
  func update(of rule: UpdateRule, atEndOf version: UInt64) -> RowUpdate? {
    guard schedule.updates(rule, atEndOf: version) else { return nil }
    switch rule {
    case .assigned: return nil
    case .movingAverage(let rate): return .average(rate: rate)
    case .optimizer(let group): return groups[group].map(RowUpdate.optimizer)
    }
  }

  /// The steps that rows of this rule may have missed and need before they are read; nil if rows
  /// never miss steps.
  func catchUp(of rule: UpdateRule) -> (any OptimizerSteps)? {
    guard case .optimizer(let group) = rule, configuration.rule.untouchedRows.isLate
    else { return nil }
    return groups[group]
  }

  /// How many updates a group has had.
  func stepCount(of group: ParameterGroup) -> Int { groups[group]?.count ?? 0 }
}

/// One update of a table: how a row and its summed gradient are combined.
enum RowUpdate {
  case optimizer(any OptimizerSteps)
  /// The pushed values replace the row at its first update and are mixed in afterwards.
  case average(rate: Float)
}

/// The steps of one parameter group with an optimizer of any type.
protocol OptimizerSteps: Sendable {
  /// How many updates the group has had.
  var count: Int { get }
  /// Adds a step.
  mutating func append(rate: Double)
  /// Applies the last step; returns how many rows a gradient reached.
  func apply(to table: inout TableStore, gradients: [GradientSource]) -> Int
  /// Copies the weights of rows as they are with every step applied, `[rows.count, width]`. Rows
  /// may be brought to that state.
  func copy(
    _ rows: LocalRows, of table: inout TableStore, to destination: UnsafeMutablePointer<Float>)
  /// Brings one wide row, `[weights, states]`, to that state, to which `done` steps were applied.
  func catchUp(_ row: UnsafeMutablePointer<Float>, width: Int, from done: Int)
}

/// The steps of one parameter group with the optimizer `Rule`.
struct StepsOf<Rule: RowOptimizer>: OptimizerSteps {
  let rule: Rule
  private(set) var count = 0
  /// All steps, a few bytes each, if rows may have missed some; otherwise the last step only.
  private var steps: [Rule.Step] = []

  init(_ rule: Rule) { self.rule = rule }

  mutating func append(rate: Double) {
    count += 1
    if !rule.untouchedRows.isLate { steps.removeAll(keepingCapacity: true) }
    rule.append(rule.step(count, rate: rate), to: &steps)
  }

  func apply(to table: inout TableStore, gradients: [GradientSource]) -> Int {
    rule.apply(steps, number: count, to: &table, gradients: gradients)
  }

  func copy(
    _ rows: LocalRows, of table: inout TableStore, to destination: UnsafeMutablePointer<Float>
  ) {
    rule.copy(rows, of: &table, with: steps, to: destination)
  }

  func catchUp(_ row: UnsafeMutablePointer<Float>, width: Int, from done: Int) {
    guard done > 0 && done < steps.count else { return }
    steps.withUnsafeBufferPointer {
      rule.catchUp(row, width: width, with: $0, missed: done..<steps.count)
    }
  }
}

extension RowOptimizer {
  /// No steps yet.
  var noSteps: any OptimizerSteps { StepsOf(self) }
}
