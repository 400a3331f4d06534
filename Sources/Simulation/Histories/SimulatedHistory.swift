/// What became of a seed.
package struct SimulatedHistory: Sendable {
  package let seed: UInt64
  /// The rule that was broken on purpose.
  package let mutation: Mutation?
  package let problem: SimulationProblem.Kind
  package let consistency: SimulatedConsistency
  /// At the beginning.
  package let shape: ClusterShape
  package let faults: FaultPlan
  /// What went wrong that must not; empty for a good history.
  package let violations: [String]
  package let eventCount: Int
  /// Virtual seconds until the end.
  package let seconds: Double
  /// One more than how often the tables went back.
  package let generations: UInt64
  /// How many coordinators there were, one after the other.
  package let terms: UInt64
  /// How often each effect of a fault, or of the recovery from it, was seen.
  package let effects: [Effect: Int]

  /// What is wrong and how to look at it again, in two lines; nil for a good history.
  package var failure: String? {
    violations.first.map { "seed \(seed) failed \($0)\n  replay: \(replay)" }
  }

  /// The command that shows the history again, event by event.
  package var replay: String {
    "scripts/simulate --seed \(seed) --trace"
      + (consistency == .bsp ? "" : " --consistency \(consistency.rawValue)")
      + (mutation.map { " --mutation \($0.rawValue)" } ?? "")
  }
}
