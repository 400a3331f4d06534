import Coordinator
import Protocol
import Testing

@Suite struct RandomRecoveryTests {
  private static func plan() -> RunPlan {
    var plan = TestCluster.plan(
      workers: 3, servers: 2, shards: 4, epochs: 6, evaluationInterval: 2,
      checkpoints: CheckpointPlan(folder: "checkpoints", interval: 3))
    plan.timing.startupTimeout = 10_000
    return plan
  }

  private struct Stuck: Error, CustomStringConvertible {
    var description: String
  }

  private static func run(
    seed: UInt64, faults: SimulatedCluster.Faults
  ) throws -> SimulatedCluster {
    var cluster = try SimulatedCluster(plan: plan(), faults: faults, seed: seed)
    try cluster.run(for: 5000)
    guard cluster.problems.isEmpty, cluster.outcome != nil else {
      throw Stuck(
        description: "seed \(seed) at \(cluster.now) s in term \(cluster.term): "
          + "\(cluster.problems), \(cluster.store.run.standing)")
    }
    return cluster
  }

  @Test("whatever is lost and when, runs end with the records of the undisturbed run")
  func randomLosses() throws {
    let calm = try Self.run(seed: 0, faults: .init())
    #expect(calm.epochRecords.map(\.epoch) == [0, 1, 2, 3, 4, 5])
    #expect(calm.recoveries == 0)
    var recoveries = 0
    var adoptions = 0
    for seed in 1...900 as ClosedRange<UInt64> {
      let faults = SimulatedCluster.Faults(
        rate: [0.05, 0.15, 0.4][Int(seed % 3)], messageLoss: seed % 2 == 0 ? 0.1 : 0,
        // Some losses repair what others broke, so many runs have few.
        until: seed % 4 == 0 ? 400 : Double(seed % 40))
      let cluster: SimulatedCluster
      do {
        cluster = try Self.run(seed: seed, faults: faults)
      } catch {
        Issue.record(error)
        return
      }
      #expect(cluster.outcome == calm.outcome, "seed \(seed)")
      // Each is recorded once, also if it was trained twice.
      #expect(
        cluster.epochRecords.map(\.values) == calm.epochRecords.map(\.values), "seed \(seed)")
      #expect(
        cluster.evaluationRecords.map(\.metrics) == calm.evaluationRecords.map(\.metrics),
        "seed \(seed)")
      recoveries += cluster.recoveries
      adoptions += cluster.adoptions
    }
    // The losses must have had effects.
    #expect(recoveries > 1200)
    #expect(adoptions > 150)
  }
}
