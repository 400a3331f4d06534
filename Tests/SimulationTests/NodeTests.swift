import Nodes
import ParameterServer
import Protocol
import Simulation
import Testing

/// What nodes do beyond their state machines, in simulated clusters.
@Suite struct NodeTests {
  @Test("a saving that is cancelled starts again, and the measured model is saved")
  func savingGivenUp() throws {
    let simulation = Simulation()
    var faults = FaultPlan.none
    faults.endsAt = 20
    faults.ambushes = [0, 0.001, 0.01, 0.03].enumerated().map { index, delay in
      Ambush(milestone: .saving, passes: index, delay: delay, fault: .kill(.server(0)))
    }
    let cluster = try simulation.cluster(
      .bpr, ClusterShape(workers: 1, servers: 2), faults: faults)
    cluster.run()
    #expect(try simulation.differences(of: cluster) == [])
    #expect(cluster.effects[.killedServer] == 4)
    #expect((cluster.effects[.comparedBest] ?? 0) > 0)
  }

  @Test("a coordinator asks a node that it does not know for its hello")
  func helloNeeded() throws {
    let simulation = Simulation()
    var refusalCount = 0
    let cluster = try simulation.cluster(.bpr, ClusterShape(workers: 2, servers: 1)) { _, event in
      guard case .delivered(.coordinator(let envelope), _, _) = event,
        case .refused(let refusal) = envelope.message, refusal.code == .helloNeeded
      else { return }
      refusalCount += 1
    }
    #expect(cluster.run { $0.server(0)?.state?.version == 3 })
    cluster.happen(.kill(.coordinator))
    cluster.run()
    #expect(try simulation.differences(of: cluster) == [])
    #expect(refusalCount >= 3)
    #expect(cluster.effects[.adopted] == 1)
  }

  @Test("a message that a test drops is retried")
  func dropped() throws {
    let simulation = Simulation()
    let cluster = try simulation.cluster(.bpr, ClusterShape(workers: 1, servers: 1))
    var dropCount = 0
    cluster.fate = { message, _ in
      guard case .node(.taskDone) = message, dropCount < 3 else { return .undecided }
      dropCount += 1
      return .lost
    }
    cluster.run()
    #expect(try simulation.differences(of: cluster) == [])
    #expect(dropCount == 3)
  }
}
