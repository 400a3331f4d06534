import Coordinator
import Nodes
import ParameterServer
import Protocol
import Transport
import Worker

/// The environment of a node in a run of one process: what all roles have in common.
protocol LocalEnvironment: NodeEnvironment where Peer == LocalLink, Message == MemoryMessage {
  static var logs: NodeLogs { get }
  var deliveries: LocalDeliveries { get }
}

extension LocalEnvironment {
  var now: Double { MonotonicClock.seconds }

  func log(_ level: NodeLogLevel, _ line: @autoclosure () -> String) {
    // A run in one process has no log file, and such lines would clutter the terminal.
    if level != .info { Self.logs.log(level, line()) }
  }

  func recordMalformedMessage(_ problem: String) { log(.frequentWarning, problem) }
}

extension LocalEnvironment where Self: MemberEnvironment {
  func usage() -> ProcessUsage { .current() }

  /// When the coordinator ends, this process ends. If a node leaves for another reason, the run
  /// ends as well.
  func end(_ departure: Departure) {
    if case .finished = departure { return }
    deliveries.end(.success(RoleOutcome(departure)))
  }
}

extension LocalEnvironment where Self: ConnectingEnvironment {
  func send(_ request: DataRequest, to peer: LocalLink) {
    deliveries.add(.toServer(.request(request), peer))
  }

  func isPassingShortage(_ error: any Error) -> Bool { TransientShortage.isCause(of: error) }
}

final class LocalCoordinator: LocalEnvironment, FileKeepingEnvironment {
  static let logs = NodeLogs(label: "mrdib.coordinator")
  let deliveries: LocalDeliveries
  let files: CoordinatorFiles
  /// The connection for reading the best model, while it is open.
  private var reading: LocalLink?
  private var readingCount: UInt64 = 0

  init(_ recorder: RunRecorder, setup: RunSetup, deliveries: LocalDeliveries) {
    self.deliveries = deliveries
    files = CoordinatorFiles(recorder, setup: setup) { [inbox = deliveries.inbox] in
      inbox.add(.coordinatorReport($0))
    }
  }

  func connect(to endpoint: String) -> LocalLink {
    readingCount += 1
    let link = LocalLink.coordinatorToServer(number: readingCount)
    reading = link
    return link
  }

  func close(_ peer: LocalLink) { reading = nil }

  /// Messages on a closed connection are dropped.
  func isOpen(_ link: LocalLink) -> Bool {
    if case .coordinatorToServer = link { link == reading } else { true }
  }

  func send(_ envelope: CoordinatorEnvelope, to peer: LocalLink) {
    switch peer {
    case .workerToCoordinator: deliveries.add(.toWorker(.coordinator(envelope), peer))
    case .serverToCoordinator: deliveries.add(.toServer(.coordinator(envelope), peer))
    case .workerToServer, .coordinatorToServer: break
    }
  }

  /// All roles are this process, whose time is counted once.
  func noteUsage(of role: NodeRole, incarnation: UInt64, cpuSeconds: Double) {}

  func end(_ ending: CoordinatorEnding) {
    switch ending {
    case .finished(let result):
      deliveries.end(
        .success(RoleOutcome(exitCode: ExitCode(result), message: result.summary)))
    case .failed(let error, _): deliveries.end(.failure(error))
    }
  }
}

final class LocalServer: LocalEnvironment, ServerEnvironment {
  static let logs = NodeLogs(label: "mrdib.server")
  let deliveries: LocalDeliveries
  private let background: ServerBackground<LocalLink>

  init(_ deliveries: LocalDeliveries) {
    self.deliveries = deliveries
    background = ServerBackground(copies: CheckpointCopies(folder: nil, security: .plain())) {
      [inbox = deliveries.inbox] in inbox.add(.serverEvent($0))
    }
  }

  func sendToCoordinator(_ message: NodeMessage) {
    deliveries.add(.toCoordinator(.node(message), .serverToCoordinator))
  }

  func send(_ reply: DataReply, to peer: LocalLink) -> Bool {
    switch peer {
    case .workerToServer: deliveries.add(.toWorker(.reply(reply), peer))
    case .coordinatorToServer: deliveries.add(.toCoordinator(.reply(reply), peer))
    case .workerToCoordinator, .serverToCoordinator: break
    }
    return true
  }

  var checkpointStatistics: CheckpointWritingStatistics { background.statistics }

  func prepare(_ welcome: Welcome) { background.prepare(welcome) }

  func write(_ snapshot: ServerSnapshot, of welcome: Welcome) {
    background.write(snapshot, of: welcome)
  }

  func endWriting() { background.end() }
}

/// The worker computes on the thread of the run.
final class LocalWorker: LocalEnvironment, WorkerEnvironment {
  static let logs = NodeLogs(label: "mrdib.worker")
  let deliveries: LocalDeliveries
  private let computation: TaskComputation

  init(setup: RunSetup, deliveries: LocalDeliveries) {
    self.deliveries = deliveries
    computation = TaskComputation(
      makeEngine: { setup.engine(serverCount: Int($0.serverCount)) },
      warn: { Self.logs.log(.warning, $0) }, releaseMemory: ProcessMemory.release)
  }

  var taskProgress: UInt64 { computation.progress }

  var examples: UInt64 { computation.examples }

  func sendToCoordinator(_ message: NodeMessage) {
    deliveries.add(.toCoordinator(.node(message), .workerToCoordinator))
  }

  func connect(to endpoint: String) -> LocalLink { .workerToServer }

  func close(_ peer: LocalLink) {}

  func setUp(_ welcome: Welcome) { deliveries.add(.workerEvent(computation.setUp(welcome))) }

  func begin(_ task: WorkerTask) { deliveries.add(.workerEvent(computation.begin(task))) }

  func advance(_ task: UInt64, _ input: WorkInput) {
    deliveries.add(.workerEvent(computation.advance(task, input)))
  }

  func end(_ ending: WorkerEnding) {
    switch ending {
    case .left(let departure): end(departure)
    case .cannotConnect(let message):
      deliveries.end(.success(RoleOutcome(exitCode: .unavailable, message: message)))
    }
  }
}
