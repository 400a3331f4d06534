import Nodes
import Protocol
import Testing
import Worker

@Suite("The driver of a worker")
struct WorkerNodeTests {
  private static let endpoints = ["tcp://s0:1", "tcp://s1:1"]

  private let worker = ScriptedWorker()

  /// A worker that has received its welcome.
  init() throws {
    receive(.welcome(SmallRun.welcome()))
    try #require(worker.welcomes == [SmallRun.welcome()])
  }

  private func receive(_ message: CoordinatorMessage) {
    worker.node.received(.coordinator(message), from: ScriptedWorker.coordinator)
  }

  /// The worker is set up and learns where the servers are.
  private func meetServers(_ timeouts: WorkerTimeouts = WorkerTimeouts()) {
    worker.node.handle(.setUp(generation: 1, timeouts))
    receive(.servers(generation: 1, endpoints: Self.endpoints))
  }

  private var goodbyes: [String] {
    worker.reports.compactMap { if case .goodbye(let reason) = $0 { reason } else { nil } }
  }

  /// Why the worker has left, and whether a restart can help.
  private func departure() throws -> Departure {
    let ending = try #require(worker.endings.first)
    try #require(worker.endings.count == 1)
    guard case .left(let departure) = ending else { throw ScriptedFailure.damage }
    return departure
  }

  @Test("a worker that lacks descriptors to connect leaves, and may be restarted")
  func connectShortage() throws {
    worker.connectFailures[Self.endpoints[1]] = ScriptedFailure.shortage
    meetServers()
    let message = "Cannot connect to server 1: no free descriptor"
    #expect(try departure() == .transient(message))
    #expect(goodbyes == [message])
    #expect(worker.connections.isEmpty, "the first connection is closed")
  }

  @Test("a worker that cannot connect for another reason ends with that reason")
  func connectFailure() throws {
    worker.connectFailures[Self.endpoints[1]] = ScriptedFailure.damage
    meetServers()
    let message = "Cannot connect to server 1: the disk is full"
    guard worker.endings.count == 1, case .cannotConnect(message) = worker.endings[0] else {
      Issue.record("\(worker.endings)")
      return
    }
    #expect(goodbyes == [message])
    #expect(worker.connections.isEmpty)
    // Its session still has hellos for the servers, which are not sent.
    for now in [1.0, 5, 10] {
      worker.now = now
      worker.node.handle(.tick)
    }
    #expect(worker.requests.isEmpty)
    #expect(worker.endings.count == 1)
  }

  @Test("new addresses replace all connections; late messages of the old ones are ignored")
  func reconnected() throws {
    meetServers()
    let old = worker.requests
    #expect(Set(old.map(\.peer)) == Set(worker.connections.keys) && old.count == 2)
    let moved = ["tcp://s2:1", "tcp://s3:1"]
    receive(.servers(generation: 1, endpoints: moved))
    #expect(worker.connections.values.sorted() == moved)
    let reports = worker.reports.count
    for (request, peer) in old {
      worker.node.received(DataReply(requestID: request.id, body: .welcome).encoded(), from: peer)
      worker.node.received(.garbage, from: peer)
    }
    #expect(worker.reports.count == reports && worker.malformedCount == 0)
    for (request, peer) in worker.requests.dropFirst(2) {
      worker.node.received(DataReply(requestID: request.id, body: .welcome).encoded(), from: peer)
    }
    #expect(worker.reports.last == .ready(generation: 1))
  }

  @Test("bytes of the coordinator or a server that cannot be read are counted, and not answered")
  func malformed() throws {
    meetServers()
    let (reports, requests) = (worker.reports.count, worker.requests.count)
    worker.node.received(.garbage, from: ScriptedWorker.coordinator)
    worker.node.received(.empty(id: 1), from: try #require(worker.requests.first?.peer))
    #expect(worker.malformedCount == 2)
    #expect(worker.reports.count == reports && worker.requests.count == requests)
    #expect(worker.endings.isEmpty)
  }

  @Test("a probe for which no connection can be opened is a warning; the next one is tried again")
  func probeFails() {
    var timeouts = WorkerTimeouts()
    timeouts.node = 20
    meetServers(timeouts)
    let servers = Set(worker.connections.keys)
    for endpoint in Self.endpoints {
      worker.connectFailures[endpoint] = ScriptedFailure.shortage
    }
    func pass(until isReached: () -> Bool) {
      let end = worker.now + 20
      while worker.now < end, !isReached() {
        worker.now += 0.5
        worker.node.handle(.tick)
      }
    }
    pass { !worker.warnings.isEmpty }
    #expect(
      worker.warnings.first
        == "cannot check whether server 0 is reachable: no free descriptor")
    #expect(Set(worker.connections.keys) == servers)
    worker.connectFailures = [:]
    pass { worker.connections.count == 4 }
    #expect(Set(worker.requests.map(\.peer)) == Set(worker.connections.keys))
    #expect(worker.endings.isEmpty && goodbyes.isEmpty)
  }

  @Test("a worker that lacks descriptors to load its data leaves, and may be restarted")
  func setUpFailure() throws {
    try failSetUp(because: .shortage)
    #expect(try departure() == .transient("worker 0 cannot take part: no free descriptor"))
  }

  @Test("a worker that cannot load its data for another reason leaves for good")
  func setUpDamage() throws {
    try failSetUp(because: .damage)
    #expect(try departure() == .permanent("worker 0 cannot take part: the disk is full"))
  }

  private func failSetUp(because failure: ScriptedFailure) throws {
    let computation = TaskComputation(
      makeEngine: { _ in throw failure }, isPassingShortage: worker.isPassingShortage)
    worker.node.handle(computation.setUp(try #require(worker.welcomes.first)))
    #expect(goodbyes == ["worker 0 cannot take part: \(failure)"])
  }
}
