import Coordination
import Messages
import Testing

/// What people are told of a run that waits.
@Suite struct WaitingTests {
  private func waits(_ actions: [CoordinatorAction]) -> [(what: String, limit: Double?)] {
    actions.reports.compactMap { event in
      if case .waiting(let what, _, let limit) = event { (what, limit) } else { nil }
    }
  }

  /// Lets seconds go by, in which these nodes beat. Returns what was said, with its time.
  private func pass(
    _ cluster: inout TestCluster, to end: Int, beating nodes: [NodeID]
  ) -> [(time: Double, what: String, limit: Double?)] {
    var told: [(time: Double, what: String, limit: Double?)] = []
    for second in Int(cluster.now) + 1...end {
      cluster.now = Double(second)
      for node in nodes { cluster.send(TestCluster.beat(), from: node) }
      told += waits(cluster.handle(.tick)).map { (cluster.now, $0.what, $0.limit) }
    }
    return told
  }

  @Test("a coordinator that waits for nodes says for which and for how long, and says it seldom")
  func forming() throws {
    var cluster = try TestCluster(TestCluster.plan())
    cluster.handle(.tick)
    let told = pass(&cluster, to: 59, beating: [])
    #expect(told.map(\.time) == [10])
    #expect(told[0].what.contains("2 servers did not come, 2 workers did not come"), "\(told)")
    #expect(told[0].limit == 60)
  }

  @Test("so does one whose best model comes no nearer")
  func saving() throws {
    var cluster = try TestCluster(TestCluster.plan())
    let nodes = cluster.serverIDs + cluster.workerIDs
    cluster.epochUntilSaving()
    let told = pass(&cluster, to: Int(cluster.now) + 30, beating: nodes)
    #expect(told.count == 1 && told[0].what.contains("the best model, of epoch 0"), "\(told)")
    #expect(told.first?.limit == 60)
  }

  @Test("and one whose workers come no further, though they live")
  func training() throws {
    var cluster = try TestCluster(TestCluster.plan())
    cluster.form()
    let start = cluster.now
    let told = pass(&cluster, to: Int(start) + 200, beating: cluster.serverIDs + cluster.workerIDs)
    #expect(told.count == 3 && told[0].what.contains("the training of epoch 0"), "\(told)")
    #expect(told.allSatisfy { $0.limit == nil })
  }

  @Test("a node with tables of a run that was never begun ends it: the records are others'")
  func lostRecords() throws {
    var cluster = try TestCluster(TestCluster.plan())
    let holding = Holding(generation: 1, rank: 0, version: 17)
    let foreign = TestCluster.hello(.server, 100, holding: holding)
    #expect(
      cluster.send(foreign, from: 100).outcome == nil,
      "a node that does not say of which run it is says nothing about this one")
    let own = TestCluster.hello(.server, 101, runID: "run-1", holding: holding)
    let failure = cluster.send(own, from: 101).failure
    #expect(failure?.kind == .recordsMissing && failure?.isTransient == false)
    #expect(failure?.message.contains("version 17") == true, "\(String(describing: failure))")
  }

  @Test("a node that was given up before the run began may come back")
  func comesBack() throws {
    var cluster = try TestCluster(TestCluster.plan())
    let holding = Holding(generation: 1, rank: 0, version: 0)
    let hello = TestCluster.hello(.server, 100, runID: "run-1", holding: holding)
    #expect(cluster.send(hello, from: 100).outcome == nil)
  }
}
