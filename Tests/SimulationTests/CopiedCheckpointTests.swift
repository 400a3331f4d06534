import Simulation
import Testing

/// Servers with a disk each, on which the files of others are copied.
@Suite struct CopiedCheckpointTests {
  @Test("whichever disk is lost and when, nothing is lost with it")
  func lostDisks() throws {
    let effects = try histories(
      90, { number, shape in .loseDisk(.server(number / 3 % shape.servers)) },
      delays: [0, 0.01, 0.1, 1])
    // Of 90; a run may end before its fault.
    #expect(effects[.lostDisk, default: 0] > 30)
    #expect(effects[.fetchedFile, default: 0] > 20)
    #expect(effects[.restored, default: 0] > 20)
  }

  /// Runs histories with one fault that waits for a checkpoint.
  private func histories(
    _ count: UInt64, _ fault: (Int, ClusterShape) -> Fault, delays: [Double],
    passes: [Int] = [0, 1, 2, 3]
  ) throws -> [Effect: Int] {
    let simulation = Simulation()
    var effects: [Effect: Int] = [:]
    for seed in 0..<count {
      let number = Int(seed)
      let shape = ClusterShape(workers: 2, servers: 2 + number % 2)
      var faults = FaultPlan.none
      faults.copies = 2
      faults.endsAt = 60
      faults.longestStep = 0.3
      faults.ambushes = [
        Ambush(
          milestone: .commit, passes: passes[number / 2 % passes.count],
          delay: delays[number / 8 % delays.count], fault: fault(number, shape))
      ]
      let cluster = try simulation.cluster(
        number % 3 == 0 ? .mrdib : .bpr, shape, faults: faults, seed: seed)
      cluster.run()
      let differences = try simulation.differences(of: cluster)
      #expect(differences == [], "seed \(seed): \(differences)")
      effects.merge(cluster.effects) { $0 + $1 }
    }
    return effects
  }

  @Test("the loss of the coordinator's disk costs what came after the newest checkpoint")
  func lostCoordinatorDisk() throws {
    let effects = try histories(
      70, { _, _ in .loseDisk(.coordinator) }, delays: [0.01, 0.1, 0.5, 1, 2])
    #expect(effects[.lostCoordinatorDisk, default: 0] > 15)
    #expect(effects[.restored, default: 0] > 15)
  }

  @Test("a checkpoint that is committed before its records are copied may be lost with them")
  func recordsFirst() throws {
    let simulation = Simulation()
    var lostCount = 0
    for seed in 0..<12 as Range<UInt64> {
      var faults = FaultPlan.none
      faults.copies = 2
      faults.endsAt = 60
      faults.longestStep = 0.3
      faults.ambushes = [
        Ambush(
          milestone: .commit, passes: Int(seed) % 3, delay: 0.5, fault: .loseDisk(.coordinator))
      ]
      let cluster = try simulation.cluster(
        .bpr, ClusterShape(workers: 2, servers: 2), faults: faults,
        mutation: .reportBeforeRecords, seed: seed)
      cluster.run()
      let isLost = cluster.violations.contains {
        $0.contains("the loss of the coordinator's disk loses")
      }
      if isLost { lostCount += 1 }
    }
    #expect(lostCount > 0)
  }

  @Test("when no server has a file of the newest checkpoint, an older one takes its place")
  func olderCheckpoint() throws {
    let effects = try histories(
      90, { number, shape in .damageCopies(.server(number % shape.servers)) }, delays: [0, 0.1],
      passes: [2, 3])
    #expect(effects[.passedOver, default: 0] > 3)
    #expect(effects[.restored, default: 0] > 5)
  }
}
