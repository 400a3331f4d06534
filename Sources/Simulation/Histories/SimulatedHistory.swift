/// What became of a seed.
public struct SimulatedHistory: Sendable {
  public let seed: UInt64
  /// The rule that was broken on purpose.
  public let sabotage: Sabotage?
  public let problem: SimulationProblem.Kind
  public let consistency: SimulatedConsistency
  /// At the beginning.
  public let shape: ClusterShape
  public let faults: FaultPlan
  /// What went wrong that must not; empty for a good history.
  public let violations: [String]
  public let eventCount: Int
  /// Virtual seconds until the end.
  public let seconds: Double
  /// One more than how often the tables went back.
  public let generations: UInt64
  /// How many coordinators there were, one after the other.
  public let terms: UInt64
  /// How often each effect of a fault, or of the recovery from it, was seen.
  public let effects: [Effect: Int]

  /// What is wrong and how to look at it again, in two lines; nil for a good history.
  public var failure: String? {
    violations.first.map { "seed \(seed) failed \($0)\n  replay: \(replay)" }
  }

  /// The command that shows the history again, event by event.
  public var replay: String {
    "scripts/simulate --seed \(seed) --trace"
      + (consistency == .bsp ? "" : " --consistency \(consistency.rawValue)")
      + (sabotage.map { " --sabotage \($0.rawValue)" } ?? "")
  }
}
