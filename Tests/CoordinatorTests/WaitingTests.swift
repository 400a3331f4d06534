import Coordinator
import Protocol
import Testing

/// Notices that a run waits.
@Suite struct WaitingTests {
  private func waits(_ actions: [CoordinatorAction]) -> [(what: String, limit: Double?)] {
    actions.reports.compactMap { event in
      if case .waiting(let what, _, let limit) = event { (what, limit) } else { nil }
    }
  }

  /// Seconds pass, in which these nodes send heartbeats. Returns the notices, with their times.
  private func pass(
    _ cluster: inout ScriptedCluster, to end: Int, beating nodes: [NodeID]
  ) -> [(time: Double, what: String, limit: Double?)] {
    var notices: [(time: Double, what: String, limit: Double?)] = []
    for second in Int(cluster.now) + 1...end {
      cluster.now = Double(second)
      for node in nodes { cluster.receive(ScriptedCluster.heartbeat(), from: node) }
      notices += waits(cluster.handle(.tick)).map { (cluster.now, $0.what, $0.limit) }
    }
    return notices
  }

  @Test("a coordinator that waits for nodes reports which and for how long, but seldom")
  func forming() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.handle(.tick)
    let notices = pass(&cluster, to: 59, beating: [])
    #expect(notices.map(\.time) == [10])
    #expect(
      notices[0].what == "2 servers (0 of 2 here) and 2 workers (0 of 2 here)", "\(notices)")
    #expect(notices[0].limit == 60)
  }

  @Test("what is waited for and the seconds left are known at every moment, after two seconds")
  func countdown() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.handle(.tick)
    #expect(cluster.state.currentWait(at: cluster.now + 1) == nil)
    let wait = try #require(cluster.state.currentWait(at: cluster.now + 20))
    #expect(wait.what == "2 servers (0 of 2 here) and 2 workers (0 of 2 here)")
    #expect(wait.secondsLeft == 40)
    cluster.form()
    #expect(cluster.state.currentWait(at: cluster.now) == nil)
  }

  @Test("so are a worker that is missing during the run, and a member that is silent")
  func missing() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.form()
    let start = cluster.now
    let alive = cluster.serverIDs + cluster.workerIDs.dropLast()
    _ = pass(&cluster, to: Int(start) + 5, beating: alive)
    let silent = try #require(cluster.state.currentWait(at: cluster.now))
    #expect(silent.what == "worker 1 to answer")
    let timeout = cluster.state.plan.timing.heartbeatTimeout
    #expect(silent.secondsLeft > 0 && silent.secondsLeft < timeout - 3)
    for worker in cluster.workerIDs { cluster.handle(.nodeGone(worker)) }
    let wait = try #require(cluster.state.currentWait(at: cluster.now + 10))
    #expect(wait.what == "1 worker (0 of 1 here)")
    #expect(wait.secondsLeft == cluster.state.plan.timing.startupTimeout - 10)
  }

  @Test("so does one whose best model makes no progress")
  func saving() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let nodes = cluster.serverIDs + cluster.workerIDs
    cluster.epochUntilSaving()
    let notices = pass(&cluster, to: Int(cluster.now) + 30, beating: nodes)
    #expect(notices.count == 1, "\(notices)")
    #expect(notices.first?.what.contains("the best model, of epoch 0") == true, "\(notices)")
    #expect(notices.first?.limit == 60)
  }

  @Test("and one whose workers make no progress although they are alive")
  func training() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.form()
    let start = cluster.now
    let nodes = cluster.serverIDs + cluster.workerIDs
    let notices = pass(&cluster, to: Int(start) + 200, beating: nodes)
    #expect(notices.count == 3, "\(notices)")
    #expect(notices.first?.what.contains("the training of epoch 0") == true, "\(notices)")
    #expect(notices.allSatisfy { $0.limit == nil })
  }

  @Test("a node with tables of a run that was never begun ends it: records and cluster differ")
  func lostRecords() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let holding = HeldState(generation: 1, rank: 0, version: 17)
    let foreign = ScriptedCluster.hello(.server, 100, holding: holding)
    #expect(
      cluster.receive(foreign, from: 100).outcome == nil,
      "a node that names no run proves nothing about this one")
    let own = ScriptedCluster.hello(.server, 101, runID: "run-1", holding: holding)
    let failure = cluster.receive(own, from: 101).failure
    #expect(failure?.kind == .recordsMissing && failure?.isTransient == false)
    #expect(failure?.message.contains("version 17") == true, "\(String(describing: failure))")
  }

  @Test("a node that was lost before the run began may come back")
  func comesBack() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let holding = HeldState(generation: 1, rank: 0, version: 0)
    let hello = ScriptedCluster.hello(.server, 100, runID: "run-1", holding: holding)
    #expect(cluster.receive(hello, from: 100).outcome == nil)
  }
}
