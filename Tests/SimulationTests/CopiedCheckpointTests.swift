import Simulation
import Testing

/// Servers with a disk each, on which the files of others are copied.
@Suite struct CopiedCheckpointTests {
  @Test("whichever disk is lost and when, nothing is lost with it")
  func lostDisks() throws {
    let simulation = Simulation()
    var effects: [Effect: Int] = [:]
    for seed in 0..<60 as Range<UInt64> {
      let number = Int(seed)
      let shape = ClusterShape(workers: 2, servers: 2 + number % 2)
      var faults = FaultPlan.none
      faults.copies = 2
      faults.endsAt = 60
      faults.longestStep = 0.3
      faults.ambushes = [
        Ambush(
          milestone: .commit, passes: number / 2 % 4, delay: [0, 0.01, 0.1, 1][number / 8 % 4],
          fault: .loseDisk(.server(number / 3 % shape.servers)))
      ]
      let cluster = try simulation.cluster(
        number % 3 == 0 ? .mrdib : .bpr, shape, faults: faults, seed: seed)
      cluster.run()
      #expect(try simulation.differences(of: cluster) == [], "seed \(seed)")
      effects.merge(cluster.effects) { $0 + $1 }
    }
    // Of 60; a run may end before its fault.
    #expect(effects[.lostDisk, default: 0] > 30)
    #expect(effects[.fetchedFile, default: 0] > 20)
    #expect(effects[.restored, default: 0] > 20)
  }
}
