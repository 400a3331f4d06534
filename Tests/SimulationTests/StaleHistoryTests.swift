import Simulation
import Testing

@Suite("Histories in which rows may be stale")
struct StaleHistoryTests {
  private static let modes: [SimulatedConsistency] = [.ssp, .async]

  @Test(
    "every history ends: every gradient once, no row staler than allowed, the measured model saved"
  )
  func bounds() throws {
    let simulation = Simulation()
    for consistency in Self.modes {
      var summary = SimulationSummary()
      for seed in 0..<100 as Range<UInt64> {
        let history = try simulation.run(seed: seed, consistency: consistency)
        #expect(history.violations == [], "\(history.replay)")
        summary.add(history)
      }
      #expect(summary.count(of: .staleRows) > 25)
      #expect(summary.count(of: .comparedBest) > 75)
    }
  }

  @Test(
    "a server that answers one version too early is detected",
    arguments: [.bsp, .ssp] as [SimulatedConsistency])
  func earlyAnswers(consistency: SimulatedConsistency) throws {
    let simulation = Simulation()
    var failed: SimulatedHistory?
    for seed in 0..<30 as Range<UInt64> where failed == nil {
      let history = try simulation.run(
        seed: seed, consistency: consistency, mutation: .earlyAnswers)
      if !history.violations.isEmpty { failed = history }
    }
    let history = try #require(failed)
    #expect(history.violations[0].contains("got rows of version"))
    #expect(history.replay.hasSuffix("--mutation early-answers"))
    #expect(history.replay.contains("--consistency ssp") == (consistency == .ssp))
  }
}
