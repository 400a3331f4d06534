/// Totals over many histories.
package struct SimulationSummary: Sendable {
  package private(set) var historyCount = 0
  package private(set) var failedSeeds: [UInt64] = []
  package private(set) var eventCount = 0
  /// Virtual.
  package private(set) var seconds = 0.0
  /// Histories with a rollback, and the most generations that one had.
  private var recoveredCount = 0
  private var mostGenerations: UInt64 = 0
  /// Histories with more than one coordinator, and the most that one had.
  private var restartedCount = 0
  private var mostTerms: UInt64 = 0
  /// How many histories had an effect.
  private var effects: [Effect: Int] = [:]
  /// How many histories had a model.
  private var problems: [SimulationProblem.Kind: Int] = [:]

  package init() {}

  package mutating func add(_ history: SimulatedHistory) {
    historyCount += 1
    if !history.violations.isEmpty { failedSeeds.append(history.seed) }
    eventCount += history.eventCount
    seconds += history.seconds
    recoveredCount += history.generations > 1 ? 1 : 0
    mostGenerations = max(mostGenerations, history.generations)
    restartedCount += history.terms > 1 ? 1 : 0
    mostTerms = max(mostTerms, history.terms)
    for effect in history.effects.keys { effects[effect, default: 0] += 1 }
    problems[history.problem, default: 0] += 1
  }

  /// In how many histories an effect was seen.
  package func count(of effect: Effect) -> Int { effects[effect, default: 0] }

  /// One line for all of them.
  package var line: String {
    "\(historyCount) histories, \(failedSeeds.count) failed; \(eventCount) events in "
      + "\(Int(seconds)) virtual seconds; tables rolled back in \(recoveredCount) (up to "
      + "\(mostGenerations) generations), the coordinator was replaced in \(restartedCount) (up to "
      + "\(mostTerms) terms)"
  }

  /// In how many histories each effect was seen, and each model trained, a line each.
  package var statistics: [String] {
    Effect.allCases.map { row(count(of: $0), $0.rawValue) }
      + SimulationProblem.Kind.allCases.map {
        row(problems[$0, default: 0], "the model is \($0.rawValue)")
      }
  }

  private func row(_ count: Int, _ name: String) -> String {
    String(repeating: " ", count: max(0, 8 - "\(count)".count)) + "\(count)  \(name)"
  }
}
