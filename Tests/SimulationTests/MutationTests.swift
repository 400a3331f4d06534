import Simulation
import Testing

/// A simulation that cannot fail proves nothing: for every rule of the protocol that can be broken
/// on purpose, some seed must fail when it is.
@Suite struct MutationTests {
  /// One of these seeds must fail. There are several, so that the test survives small changes of the
  /// protocol.
  private static let seeds: Range<UInt64> = 0..<1000

  @Test("some history fails when a rule is broken on purpose", arguments: Mutation.allCases)
  func isNoticed(_ rule: Mutation) throws {
    let simulation = Simulation()
    let history = try #require(
      try Self.firstFailure(of: simulation, without: rule),
      "none of the seeds \(Self.seeds) shows that '\(rule.rawValue)' matters")
    let failure = try #require(history.failure)
    #expect(failure.contains(history.violations[0]))
    #expect(
      failure.hasSuffix(
        "replay: scripts/simulate --seed \(history.seed) --trace --mutation \(rule.rawValue)"))
    // The same seed passes when the rule is kept.
    #expect(try simulation.run(seed: history.seed).failure == nil)
  }

  private static func firstFailure(
    of simulation: Simulation, without rule: Mutation
  ) throws -> SimulatedHistory? {
    for seed in seeds {
      let history = try simulation.run(seed: seed, mutation: rule)
      if !history.violations.isEmpty { return history }
    }
    return nil
  }

  @Test("the same seed fails in the same way again")
  func isRepeatable() throws {
    let simulation = Simulation()
    let first = try #require(
      try Self.firstFailure(of: simulation, without: .incompleteCheckpoints))
    let again = try simulation.run(seed: first.seed, mutation: .incompleteCheckpoints)
    #expect(again.violations == first.violations)
    #expect(again.eventCount == first.eventCount)
  }
}
