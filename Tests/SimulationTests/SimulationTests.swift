import Foundation
import Simulation
import Testing

/// How many histories the suite looks at; `scripts/simulate` sets more.
private func histories(_ standard: Int) -> Range<UInt64> {
  let environment = ProcessInfo.processInfo.environment
  let first = environment["MRDIB_SIMULATION_FIRST"].flatMap { UInt64($0) } ?? 0
  let count = environment["MRDIB_SIMULATIONS"].flatMap { UInt64($0) } ?? UInt64(standard)
  return first..<first + count
}

@Suite struct SimulationTests {
  @Test("every disturbed history ends in the bits of the undisturbed one")
  func sameBits() throws {
    let simulation = Simulation()
    var summary = SimulationSummary()
    for seed in histories(200) {
      let isTraced = ProcessInfo.processInfo.environment["MRDIB_SIMULATION_TRACE"] != nil
      let history = try simulation.run(seed: seed, trace: isTraced ? { print($0) } : nil)
      #expect(history.violations == [], "scripts/simulate --seed \(seed)")
      summary.add(history)
    }
    // Some partitions separate only a worker and a server, which the coordinator cannot notice.
    if histories(200).count >= 200 { #expect(summary.count(of: .steppedDown) > 10) }
  }
}
