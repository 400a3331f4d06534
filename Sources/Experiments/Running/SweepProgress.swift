import Runtime

/// Progress lines of a sweep. A value: it has no terminal and no clock.
struct SweepProgress: Sendable {
  private let expected: Int?
  private let jobs: Int
  private var over = 0
  private var made = 0
  private var seconds = 0.0
  private var best: Double?

  /// - Parameters:
  ///   - expected: how many runs there will be, including those already finished; nil if that
  ///     depends on their results.
  ///   - jobs: how many are trained at the same time.
  init(expected: Int?, jobs: Int) {
    self.expected = expected
    self.jobs = jobs
  }

  /// Counts a run that an earlier sweep finished.
  mutating func found(_ run: SweepRun) {
    over += 1
    consider(run)
  }

  /// The line for a run that has just ended after `taken` seconds.
  mutating func ended(_ run: SweepRun, seconds taken: Double) -> String {
    over += 1
    made += 1
    seconds += taken
    consider(run)
    let duration = ProgressFormat.duration(taken)
    var parts = [(expected.map { "[\(over)/\($0)] " } ?? "") + run.name]
    if let value = run.selectionValue(.valid) {
      parts.append("valid \(run.selectionMetric) \(ProgressFormat.number(value)) in \(duration)")
    } else if run.state == .paused, let result = run.result,
      let value = result.value(run.selectionMetric, .valid)
    {
      parts.append(
        "valid \(run.selectionMetric) \(ProgressFormat.number(value)) after "
          + "\(ProgressFormat.count(result.epochsRun, "epoch")), \(duration)")
    } else {
      parts.append("\(run.state.rawValue) after \(duration): \(run.message)")
    }
    if let best { parts.append("best so far \(ProgressFormat.number(best))") }
    if let expected, expected > over {
      let left = seconds / Double(made) * Double(expected - over) / Double(jobs)
      parts.append("about \(ProgressFormat.duration(left)) left")
    }
    return parts.joined(separator: "  ")
  }

  private mutating func consider(_ run: SweepRun) {
    guard let value = run.selectionValue(.valid) else { return }
    best = max(best ?? value, value)
  }
}
