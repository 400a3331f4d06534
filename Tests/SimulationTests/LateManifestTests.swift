import Simulation
import Testing

/// Checkpoints in an object store: a manifest that a coordinator sent before it was killed may
/// arrive while the next coordinator searches, restores or has gone further.
@Suite("Manifests that arrive late")
struct LateManifestTests {
  @Test("change no bits, whenever they arrive", arguments: [0.05, 0.5, 2, 6])
  func sameBits(arrival: Double) throws {
    let simulation = Simulation()
    var late = 0
    for seed in 0..<30 as Range<UInt64> {
      var faults = FaultPlan.none
      faults.longestArrival = arrival
      faults.endsAt = 60
      faults.longestStep = 0.3
      faults.ambushes = (0..<4).map { passes in
        Ambush(milestone: .commit, passes: 2 * passes, delay: 0, fault: .kill(.coordinator))
      }
      // Rollbacks, some of them to the checkpoint that arrived late.
      faults.faults = [(2 + Double(seed % 7), .kill(.server(0))), (9, .powerLoss(Self.shape))]
      let cluster = try simulation.cluster(
        seed % 2 == 0 ? .bpr : .mrdib, Self.shape, faults: faults, seed: seed)
      cluster.run()
      #expect(try simulation.differences(of: cluster) == [], "seed \(seed)")
      late += cluster.effects[.lateManifest, default: 0]
    }
    #expect(late > 30, "manifests arrived late in too few histories")
  }

  private static let shape = ClusterShape(workers: 2, servers: 2)
}
