import Coordinator
import Nodes
import Protocol
import Testing

@Suite("The driver of a coordinator")
struct CoordinatorNodeTests {
  private static let firstServer = 10
  private static let worker = 20
  private static let members = [firstServer, firstServer + 1, worker]

  private let coordinator: ScriptedCoordinator

  init() throws { coordinator = try ScriptedCoordinator(SmallRun.plan) }

  private func receive(_ message: NodeMessage, from peer: Int) {
    coordinator.node.received(message.encoded(), from: peer)
  }

  /// Sends a hello; the incarnation of the node is 100 times the number of its peer.
  private func join(_ role: NodeRole, on peer: Int) {
    let endpoint = role == .server ? "tcp://s\(peer - Self.firstServer):1" : ""
    receive(
      .hello(
        NodeHello(
          role: role, incarnation: UInt64(100 * peer), runID: "", dataEndpoint: endpoint,
          host: "here", processID: 1)), from: peer)
  }

  /// All nodes join, and all but the worker are ready.
  private func gather() {
    for peer in Self.members { join(peer == Self.worker ? .worker : .server, on: peer) }
    for peer in Self.members where peer != Self.worker {
      receive(.ready(generation: 1), from: peer)
    }
  }

  private static let heartbeat = NodeMessage.heartbeat(
    Heartbeat(
      residentBytes: 1, peakResidentBytes: 1, cpuSeconds: 1, taskProgress: 0, generation: 1))

  private func refusals() -> [Refusal.Code] {
    coordinator.takeSent().compactMap {
      if case .refused(let refusal) = $0.message { refusal.code } else { nil }
    }
  }

  /// The failure with which the run has ended by its records.
  private func failure() throws -> RunFailure {
    try #require(coordinator.endings.count == 1)
    guard case .finished(let outcome) = coordinator.endings[0],
      case .failed(let failure) = outcome.ending
    else { throw ScriptedFailure.damage }
    return failure
  }

  // MARK: Records that cannot be written

  @Test("when the records cannot be written all connected nodes are dismissed, and nothing follows")
  func recordFails() throws {
    gather()
    // A server for which the run has no place is connected, too.
    let other = 30
    join(.server, on: other)
    #expect(coordinator.takeSent().last?.peer == other)
    #expect(coordinator.node.state.memberCount == Self.members.count)
    coordinator.recordFailure = ScriptedFailure.damage
    receive(.ready(generation: 1), from: Self.worker)
    let sent = coordinator.takeSent()
    #expect(sent.map(\.peer).sorted() == Self.members + [other])
    let farewell = CoordinatorMessage.finish(
      reason: "The coordinator cannot write its records: the disk is full",
      ending: .permanentFailure)
    #expect(sent.allSatisfy { $0.message == farewell })
    #expect(coordinator.endings.count == 1)
    guard case .failed(let error, isSuperseded: false)? = coordinator.endings.first else {
      Issue.record("\(coordinator.endings)")
      return
    }
    #expect("\(error)" == "the disk is full")

    coordinator.recordFailure = nil
    let (records, events) = (coordinator.records.count, coordinator.events.count)
    for peer in Self.members { receive(Self.heartbeat, from: peer) }
    receive(.goodbye(reason: "late"), from: Self.firstServer)
    coordinator.now = 100
    coordinator.node.tick()
    coordinator.node.finished(.noCheckpoint)
    coordinator.node.stop(because: "Ctrl-C")
    coordinator.node.fail(ScriptedFailure.damage)
    #expect(coordinator.takeSent().isEmpty)
    #expect(coordinator.records.count == records && coordinator.events.count == events)
    #expect(coordinator.endings.count == 1)
  }

  @Test("a coordinator that was superseded leaves the nodes to its successor")
  func superseded() throws {
    gather()
    _ = coordinator.takeSent()
    let error = CoordinationError(code: .superseded, message: "Another coordinator has the run.")
    coordinator.recordFailure = error
    receive(.ready(generation: 1), from: Self.worker)
    #expect(coordinator.takeSent().isEmpty)
    #expect(coordinator.endings.count == 1)
    guard case .failed(let found, isSuperseded: true)? = coordinator.endings.first else {
      Issue.record("\(coordinator.endings)")
      return
    }
    #expect(found as? CoordinationError == error)
    coordinator.node.stop(because: "Ctrl-C")
    #expect(coordinator.takeSent().isEmpty && coordinator.endings.count == 1)
  }

  @Test("kernels that cannot be recorded are a warning: the worker joins")
  func kernels() {
    coordinator.kernelFailure = ScriptedFailure.damage
    join(.worker, on: Self.worker)
    #expect(coordinator.warnings == ["the disk is full"])
    #expect(coordinator.node.state.memberCount == 1)
    #expect(coordinator.endings.isEmpty)
  }

  // MARK: Peers

  @Test("an unknown peer is asked for a hello, and known after it")
  func unknownPeer() {
    receive(Self.heartbeat, from: Self.worker)
    #expect(refusals() == [.helloNeeded])
    #expect(coordinator.node.state.memberCount == 0)
    join(.worker, on: Self.worker)
    #expect(coordinator.node.state.isMember(UInt64(100 * Self.worker)))
    _ = coordinator.takeSent()
    receive(Self.heartbeat, from: Self.worker)
    let sent = coordinator.takeSent()
    #expect(sent.contains { $0.message == .heartbeatAcknowledged(generation: 1) })
    #expect(sent.allSatisfy { $0.peer == Self.worker })
  }

  @Test("bytes of an unknown peer that cannot be read are counted, and do not end the run")
  func malformedFromUnknownPeer() {
    gather()
    _ = coordinator.takeSent()
    coordinator.node.received(.garbage, from: 30)
    #expect(coordinator.takeSent().isEmpty)
    coordinator.node.received(.future, from: 30)
    #expect(refusals() == [.protocolVersion])
    #expect(coordinator.malformedCount == 2)
    #expect(coordinator.endings.isEmpty)
  }

  @Test("bytes of a member that cannot be read end the run")
  func malformedFromMember() throws {
    gather()
    _ = coordinator.takeSent()
    coordinator.node.received(.garbage, from: Self.worker)
    #expect(coordinator.malformedCount == 1)
    let failure = try failure()
    #expect(failure.kind == .wrongAnswer)
    #expect(failure.message.contains("cannot be read"))
    #expect(coordinator.takeSent().map(\.peer).sorted() == Self.members)
    #expect(coordinator.records.last?.change == .ended(message: failure.message))
  }

  // MARK: The best model

  /// The first epoch is trained and evaluated, and its model is to be saved.
  private func trainUntilSaving() throws {
    gather()
    receive(.ready(generation: 1), from: Self.worker)
    for sums in [["loss.total": 1.0], ["valid.recall@20": 1, "valid.users": 1]] {
      for case (.task(let task), let peer) in coordinator.takeSent() {
        receive(
          .taskDone(id: task.id, reports: [UnitReport(unit: 0, sums: sums)]), from: peer)
      }
    }
    try #require(
      coordinator.modelRequests == [
        BestModelRequest(number: 1, epoch: 0, version: 1, generation: 1)
      ])
  }

  /// Time passes after which a saving that failed is tried again.
  private func retry() {
    coordinator.now += 1
    coordinator.node.tick()
  }

  @Test("a saving that fails for a passing cause is tried again; for another, the run ends")
  func savingFails() throws {
    try trainUntilSaving()
    coordinator.node.model(.failed("no free descriptor", isTransient: true), ofSaving: 1)
    #expect(
      coordinator.warnings == [
        "the best model is not saved yet; retrying: no free descriptor"
      ])
    #expect(coordinator.endings.isEmpty)
    retry()
    #expect(coordinator.modelRequests.map(\.number) == [1, 2])
    // A late result of the first attempt is not one of the second.
    coordinator.node.model(.failed("the disk is full", isTransient: false), ofSaving: 1)
    #expect(coordinator.endings.isEmpty)
    coordinator.node.model(.failed("the disk is full", isTransient: false), ofSaving: 2)
    let failure = try failure()
    #expect(failure.kind == .bestNotSaved && failure.message.contains("the disk is full"))
  }

  @Test("a server to which no connection can be opened makes the saving fail; none stays open")
  func connectFails() throws {
    try trainUntilSaving()
    coordinator.connectFailures["tcp://s1:1"] = ScriptedFailure.shortage
    coordinator.node.model(.begun(ScriptedCoordinator.Sink()), ofSaving: 1)
    #expect(coordinator.connections.isEmpty && coordinator.requests.isEmpty)
    #expect(coordinator.endings.isEmpty && coordinator.warnings.count == 1)
    retry()
    coordinator.connectFailures["tcp://s1:1"] = ScriptedFailure.damage
    coordinator.node.model(.begun(ScriptedCoordinator.Sink()), ofSaving: 2)
    #expect(coordinator.connections.isEmpty)
    #expect(try failure().kind == .bestNotSaved)
  }

  /// The servers answer all requests from number `start` on.
  private func answer(from start: Int = 0) {
    for (request, peer) in coordinator.requests.dropFirst(start) {
      let body: DataReplyBody
      switch request.body {
      case .hello: body = .welcome
      case .pull(let pull):
        let values = [Float](repeating: 0, count: pull.keys.count(of: UInt32.self))
        body = .pulled(
          PullReply(version: 1, sections: pull.sections, values: .copying(values)))
      case .push, .reduce, .copy:
        body = .refused(Refusal(code: .malformed, message: "not expected"))
      }
      coordinator.node.received(
        DataReply(requestID: request.id, body: body).encoded(), from: peer)
    }
  }

  @Test("a coordinator that has failed stops saving the best model, and answers no peer")
  func failsWhileSaving() throws {
    try trainUntilSaving()
    coordinator.node.model(.begun(ScriptedCoordinator.Sink()), ofSaving: 1)
    answer()
    #expect(coordinator.connections.count == 2)
    coordinator.node.fail(CoordinationError(code: .superseded, message: "Another one runs."))
    #expect(coordinator.connections.isEmpty)
    answer(from: 2)
    receive(Self.heartbeat, from: 30)
    coordinator.node.model(.begun(ScriptedCoordinator.Sink()), ofSaving: 1)
    #expect(coordinator.connections.isEmpty && coordinator.completedModels.isEmpty)
    #expect(coordinator.takeSent().isEmpty && coordinator.endings.count == 1)
  }

  @Test("bytes of a server that cannot be read do not disturb the reading of the best model")
  func malformedReply() throws {
    try trainUntilSaving()
    coordinator.node.model(.begun(ScriptedCoordinator.Sink()), ofSaving: 1)
    #expect(coordinator.requests.count == 2)
    coordinator.node.received(.garbage, from: try #require(coordinator.requests.first?.peer))
    #expect(coordinator.malformedCount == 1 && coordinator.endings.isEmpty)
    answer()
    answer(from: 2)
    #expect(coordinator.completedModels == coordinator.modelRequests)
    #expect(coordinator.connections.isEmpty)
    coordinator.node.model(.moved, ofSaving: 1)
    coordinator.node.model(.saved, ofSaving: 1)
    #expect(coordinator.records.last?.change == .bestSaved)
  }

  @Test(
    "a server that refuses to be read makes the saving fail for now",
    arguments: [Refusal.Code.staleGeneration, .malformed])
  func refused(code: Refusal.Code) throws {
    try trainUntilSaving()
    coordinator.node.model(.begun(ScriptedCoordinator.Sink()), ofSaving: 1)
    let (request, peer) = try #require(coordinator.requests.first)
    let refusal = Refusal(code: code, message: "not now")
    coordinator.node.received(
      DataReply(requestID: request.id, body: .refused(refusal)).encoded(), from: peer)
    #expect(coordinator.connections.isEmpty && coordinator.endings.isEmpty)
    #expect(coordinator.warnings.count == 1)
    #expect(coordinator.warnings.first?.contains("not now") == true)
    retry()
    #expect(coordinator.modelRequests.map(\.number) == [1, 2])
  }

  @Test("rows that cannot be kept make the saving fail, for now if the cause is passing")
  func sinkFails() throws {
    try trainUntilSaving()
    coordinator.node.model(.begun(ScriptedCoordinator.Sink(failure: .shortage)), ofSaving: 1)
    answer()
    answer(from: 2)
    #expect(coordinator.connections.isEmpty && coordinator.endings.isEmpty)
    retry()
    let start = coordinator.requests.count
    coordinator.node.model(.begun(ScriptedCoordinator.Sink(failure: .damage)), ofSaving: 2)
    answer(from: start)
    answer(from: start + 2)
    #expect(coordinator.connections.isEmpty && coordinator.completedModels.isEmpty)
    #expect(try failure().kind == .bestNotSaved)
  }
}
