/// The run's optimizer on the way of one group of parameters, whichever optimizer it is.
protocol OptimizerSteps: Sendable {
  /// How many updates the group has had.
  var count: Int { get }
  /// Goes on by one step.
  mutating func append(rate: Double)
  /// Applies the last step; returns how many rows a gradient reached.
  func apply(to table: inout TableStore, gradients: [GradientSource]) -> Int
  /// Brings rows to the state that they would have with every step applied.
  func catchUp(_ rows: LocalRows, of table: inout TableStore)
  /// The same for a row that has had `done` steps; the row is weights, then states.
  func catchUp(_ row: UnsafeMutablePointer<Float>, width: Int, from done: Int)
}

/// The steps of an optimizer of a known type.
struct StepsOf<Rule: RowOptimizer>: OptimizerSteps {
  let rule: Rule
  private(set) var count = 0
  /// All that there were if rows may have missed any of them, a few bytes each; else the last.
  private var steps: [Rule.Step] = []

  init(_ rule: Rule) { self.rule = rule }

  mutating func append(rate: Double) {
    count += 1
    if rule.untouchedRows != .moveWhenUsed { steps.removeAll(keepingCapacity: true) }
    steps.append(rule.step(count, rate: rate))
  }

  func apply(to table: inout TableStore, gradients: [GradientSource]) -> Int {
    rule.apply(steps, to: &table, gradients: gradients)
  }

  func catchUp(_ rows: LocalRows, of table: inout TableStore) {
    rule.catchUp(rows, of: &table, with: steps)
  }

  func catchUp(_ row: UnsafeMutablePointer<Float>, width: Int, from done: Int) {
    guard done > 0 && done < steps.count else { return }
    steps.withUnsafeBufferPointer {
      rule.replay(row, width: width, steps: UnsafeBufferPointer(rebasing: $0[done...]))
    }
  }
}

extension RowOptimizer {
  /// No steps yet.
  var noSteps: any OptimizerSteps { StepsOf(self) }
}
