import Coordinator
import Nodes
import ParameterServer
import Protocol
import Tables
import TestSupport
import Worker

/// What the processes of all roles do: they record what their node asks for, and answer as a test
/// scripts it. Messages arrive as bytes. Every environment owns its node, which does not retain it.
///
/// Peers are numbers: 0 is the coordinator of a server or worker; connections that the node opens
/// have the numbers from 1000 on.
class ScriptedEnvironment: MemberEnvironment, ConnectingEnvironment {
  typealias Peer = Int
  typealias Message = WireMessage

  static let coordinator = 0

  var now = 0.0
  private(set) var warnings: [String] = []
  private(set) var malformedCount = 0
  /// What a server or worker has sent to its coordinator.
  private(set) var reports: [NodeMessage] = []
  /// Why no connection to an endpoint can be opened.
  var connectFailures: [String: any Error] = [:]
  /// The endpoints of the open connections, by peer.
  private(set) var connections: [Int: String] = [:]
  private(set) var requests: [(request: DataRequest, peer: Int)] = []
  private var connectionCount = 0

  func log(_ level: NodeLogLevel, _ line: @autoclosure () -> String) {
    if level != .info { warnings.append(line()) }
  }

  func recordMalformedMessage(_ problem: String) { malformedCount += 1 }

  func sendToCoordinator(_ message: NodeMessage) { reports.append(message) }

  func usage() -> ProcessUsage { ProcessUsage() }

  func connect(to endpoint: String) throws -> Int {
    if let failure = connectFailures[endpoint] { throw failure }
    let peer = 1000 + connectionCount
    connectionCount += 1
    connections[peer] = endpoint
    return peer
  }

  func close(_ peer: Int) { connections[peer] = nil }

  func send(_ request: DataRequest, to peer: Int) { requests.append((request, peer)) }

  func isPassingShortage(_ error: any Error) -> Bool {
    (error as? ScriptedFailure)?.isPassing == true
  }
}

/// Why something does not work, in a test.
struct ScriptedFailure: Error, CustomStringConvertible {
  let description: String
  /// Whether it is a temporary shortage.
  let isPassing: Bool

  static let damage = ScriptedFailure(description: "the disk is full", isPassing: false)
  static let shortage = ScriptedFailure(description: "no free descriptor", isPassing: true)
}

/// The process of a server.
final class ScriptedServer: ScriptedEnvironment, ServerEnvironment {
  private(set) lazy var node = ServerNode<ScriptedServer>(
    hello: NodeHello(
      role: .server, incarnation: 1, runID: "", dataEndpoint: "tcp://s0:1", host: "here",
      processID: 1), coordinator: Self.coordinator, in: self)
  /// Peers to which no reply can be sent.
  var gonePeers: Set<Int> = []
  private(set) var replies: [(reply: DataReply, peer: Int)] = []
  private(set) var prepared: [Welcome] = []
  private(set) var departures: [Departure] = []

  func send(_ reply: DataReply, to peer: Int) -> Bool {
    guard !gonePeers.contains(peer) else { return false }
    replies.append((reply, peer))
    return true
  }

  func prepare(_ welcome: Welcome) { prepared.append(welcome) }

  // No test lets a version be due on disk.
  func write(_ snapshot: ServerSnapshot, of welcome: Welcome) {}

  func end(_ departure: Departure) { departures.append(departure) }
}

/// The process of a worker.
final class ScriptedWorker: ScriptedEnvironment, WorkerEnvironment {
  private(set) lazy var node = WorkerNode<ScriptedWorker>(
    hello: NodeHello(
      role: .worker, incarnation: 2, runID: "", dataEndpoint: "", host: "here", processID: 2),
    coordinator: Self.coordinator, in: self)
  var taskProgress: UInt64 = 0
  private(set) var welcomes: [Welcome] = []
  private(set) var tasks: [UInt64] = []
  private(set) var endings: [WorkerEnding] = []

  func setUp(_ welcome: Welcome) { welcomes.append(welcome) }

  func begin(_ task: WorkerTask) { tasks.append(task.id) }

  // No test lets a task begin to compute.
  func advance(_ task: UInt64, _ input: WorkInput) {}

  func end(_ ending: WorkerEnding) { endings.append(ending) }
}

/// The process of a coordinator.
final class ScriptedCoordinator: ScriptedEnvironment, CoordinatorEnvironment {
  /// Drops the rows of a best model, or fails to take them.
  struct Sink: BestModelSink {
    var failure: ScriptedFailure?

    func reading(routing: TableRouting, generation: UInt64) -> ReadTablesWork {
      ReadTablesWork(
        routing: routing, tables: [0], version: 1, generation: generation
      ) { [failure] _, _, _ in
        if let failure { throw failure }
      }
    }
  }

  private(set) lazy var node = CoordinatorNode<ScriptedCoordinator>(
    state, tables: [SmallRun.table], in: self)
  private let state: CoordinatorState
  /// Why transitions of the run cannot be recorded.
  var recordFailure: (any Error)?
  /// Why the kernels of workers cannot be recorded.
  var kernelFailure: (any Error)?
  private(set) var records: [RunRecord] = []
  private(set) var events: [RunEvent] = []
  private(set) var modelRequests: [BestModelRequest] = []
  private(set) var completedModels: [BestModelRequest] = []
  private(set) var endings: [CoordinatorEnding] = []
  private var sent: [(message: CoordinatorMessage, peer: Int)] = []

  init(_ plan: RunPlan) throws { state = try CoordinatorState(plan: plan) }

  /// What was sent since the last call.
  func takeSent() -> [(message: CoordinatorMessage, peer: Int)] {
    defer { sent = [] }
    return sent
  }

  func send(_ envelope: CoordinatorEnvelope, to peer: Int) {
    sent.append((envelope.message, peer))
  }

  func record(_ record: RunRecord) throws {
    if let recordFailure { throw recordFailure }
    records.append(record)
  }

  func recordKernels(of hello: NodeHello) throws {
    if let kernelFailure { throw kernelFailure }
  }

  func report(_ event: RunEvent) { events.append(event) }

  func makeModelFiles(_ request: BestModelRequest) { modelRequests.append(request) }

  func completeModelFiles(_ writer: Sink, of request: BestModelRequest) {
    completedModels.append(request)
  }

  // The runs of the tests have no checkpoints.
  func findCheckpoint() {}
  func commitCheckpoint(_ commit: CheckpointCommit, keepers: [ServerPlace]) {}
  func discardCheckpointFiles(_ shards: [CheckpointShard]) {}

  func end(_ ending: CoordinatorEnding) { endings.append(ending) }
}
