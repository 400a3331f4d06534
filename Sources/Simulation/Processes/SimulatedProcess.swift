import Nodes
import Protocol

/// A process of the cluster: the environment of a node that has no thread, no socket and no disk of
/// its own. The node is that of production.
///
/// Every action that other processes or the disk can notice asks ``mayAct()`` first, because the
/// process may be killed between two actions of one event.
package class SimulatedProcess: NodeEnvironment {
  /// What a process receives.
  enum Input {
    case start
    case message(MemoryMessage, on: ConnectionName)
    case tick
    /// SIGTERM.
    case stop
    /// A job that the process started is done.
    case job(() -> Void)
  }

  package typealias Peer = ConnectionName
  package typealias Message = MemoryMessage

  package let name: ProcessName
  unowned let cluster: SimulatedCluster
  /// The number of actions that the present event has caused so far.
  private var actionCount = 0
  private var connectionCount = 0
  /// Connections to servers.
  private var connections: Set<ConnectionName> = []

  init(_ name: ProcessName, in cluster: SimulatedCluster) {
    self.name = name
    self.cluster = cluster
  }

  /// Checks its state after an event, and returns the broken invariants as sentences.
  func checkInvariants() -> [String] { [] }

  /// Handles an event.
  final func take(_ input: Input) {
    actionCount = 0
    switch input {
    case .job(let body): body()
    case .message(_, let connection) where !isOpen(connection): return
    case .start, .message, .tick, .stop: handle(input)
    }
    finishEvent()
  }

  /// Passes an event that is no job to the node.
  func handle(_ input: Input) {}

  /// Called after an event and all its actions.
  func finishEvent() {}

  // MARK: Environment

  package var now: Double { cluster.now }

  package func log(_ level: NodeLogLevel, _ line: @autoclosure () -> String) {
    cluster.note(.logged(line(), by: name))
  }

  package func recordMalformedMessage(_ problem: String) {
    cluster.report("\(name) cannot read a message: \(problem)")
  }

  /// Whether the process is alive and the run has not ended. Kills the process if a fault has
  /// planned that before this action.
  final func mayAct() -> Bool {
    if cluster.processes.isDue(name, before: actionCount) {
      cluster.count(.killedWithinEvent)
      cluster.kill(name)
    }
    actionCount += 1
    return cluster.processes[name] != nil && cluster.outcome == nil
  }

  final func send(_ message: MemoryMessage, on connection: ConnectionName) {
    if mayAct() { cluster.send(message, on: connection, from: name) }
  }

  package func connect(to endpoint: String) throws -> ConnectionName {
    guard let server = cluster.processes.name(at: endpoint) else {
      throw SimulationError(description: "No process ever had the address \(endpoint).")
    }
    connectionCount += 1
    let connection = ConnectionName(
      owner: name, number: connectionCount, target: .process(server))
    connections.insert(connection)
    return connection
  }

  package func close(_ peer: ConnectionName) { connections.remove(peer) }

  /// Its connections to a server, in no order.
  final func connections(to server: ProcessName) -> Set<ConnectionName> {
    connections.filter { $0.target == .process(server) }
  }

  /// Messages on a connection that the process has closed are dropped.
  private func isOpen(_ connection: ConnectionName) -> Bool {
    connection.owner != name || connection.isToCoordinator || connections.contains(connection)
  }

  package func isPassingShortage(_ error: any Error) -> Bool { false }

  /// Runs a job that takes so many seconds; its result is lost if the process dies before.
  final func later(_ seconds: Double, _ job: @escaping () -> Void) {
    if mayAct() { cluster.later(seconds, name, job) }
  }
}

/// What servers and workers have in common.
package class SimulatedMember: SimulatedProcess, MemberEnvironment {
  let hello: NodeHello

  init(_ name: ProcessName, _ role: NodeRole, incarnation: UInt64, in cluster: SimulatedCluster) {
    hello = NodeHello(
      role: role, incarnation: incarnation, runID: "",
      dataEndpoint: role == .server ? name.endpoint : "", host: "simulated",
      processID: UInt32(name.life), name: "\(name.slot)")
    super.init(name, in: cluster)
  }

  package func sendToCoordinator(_ message: NodeMessage) {
    send(.node(message), on: .toCoordinator(of: name))
  }

  package func usage() -> ProcessUsage { ProcessUsage() }
}

/// A connection that one process has made to another.
package struct ConnectionName: Hashable, Sendable {
  package let owner: ProcessName
  /// Counts the owner's connections.
  let number: Int
  /// Where it leads.
  let target: Route.Receiver

  /// The first connection of a server or worker leads to the process that is the coordinator when
  /// a message arrives.
  static func toCoordinator(of owner: ProcessName) -> ConnectionName {
    ConnectionName(owner: owner, number: 0, target: .slot(.coordinator))
  }

  var isToCoordinator: Bool { number == 0 }

  /// The connection by which the simulation itself reads the tables of a server.
  static func ofAuditor(at server: ProcessName) -> ConnectionName {
    ConnectionName(owner: server, number: -1, target: .process(server))
  }
}

extension ProcessName {
  /// The address at which a server listens.
  var endpoint: String { description }

  /// The incarnation in the hello: processes that start later have greater numbers, unless the
  /// clock was set back in between.
  func incarnation(isClockSetBack: Bool) -> UInt64 {
    let place: UInt64 =
      switch slot {
      case .coordinator: 0
      case .server(let number): 1000 + UInt64(number)
      case .worker(let number): 2000 + UInt64(number)
      }
    let noon: UInt64 = 1 << 31
    return place << 32 | (isClockSetBack ? noon - UInt64(life + 1) : noon + UInt64(life))
  }
}
