import Logging
import Nodes
import Protocol
import Tensors
import Transport
import Worker

/// A worker process: joins the coordinator's run and computes until the run is over.
package struct WorkerRole: Sendable {
  private let options: NodeOptions
  private let dataFolder: String?
  private let telemetry: TelemetryBoard?

  /// - Parameters:
  ///   - dataFolder: where the data lies on this machine, if not where the coordinator has it.
  ///   - telemetry: receives the counters of the process.
  package init(options: NodeOptions, dataFolder: String?, telemetry: TelemetryBoard? = nil) {
    self.options = options
    self.dataFolder = dataFolder
    self.telemetry = telemetry
  }

  /// Blocks until the worker has left the run.
  ///
  /// - Throws: `TransportError` when the network cannot be used at all.
  package func run(signals: SignalPipe) throws -> RoleOutcome {
    try ProcessNeeds.worker(servers: 1, lanes: Lanes.current.count)
      .check(.current(), for: "a worker")
    let search: CoordinatorSearch
    do {
      search = try CoordinatorSearch(options, signals: signals, label: "mrdib.worker")
    } catch let ending as RoleEnding {
      return ending.outcome
    }
    let outcome = OutcomeBox()
    let context = try ZeroMQContext()
    // All sockets are closed once the thread has ended, so this does not block.
    defer { try? context.terminate() }
    let watch = NetworkWatch(label: "mrdib.worker")
    let thread = try NetworkThread<WorkerEvent>(
      name: "worker-network", context: context,
      settings: watch.settings(options.security, telemetry)
    ) { [options, dataFolder, telemetry] in
      WorkerHandler(
        options: options, search: search, dataFolder: dataFolder, telemetry: telemetry,
        signals: signals,
        outcome: outcome)
    }
    options.warnOfUnreachableHost(search.endpoint, Logger(label: "mrdib.worker"), until: outcome)
    try thread.join()
    return options.explain(watch.explain(outcome.value), at: search.endpoint)
  }
}

/// Connects the node of a worker to the network. Runs on the network thread.
private final class WorkerHandler: NetworkHandler {
  private let options: NodeOptions
  private let search: CoordinatorSearch
  private let dataFolder: String?
  private let telemetry: TelemetryBoard?
  private let signals: SignalPipe
  private var stopDelay: StopDelay
  private let outcome: OutcomeBox
  /// Set by `started(on:)`, which is called before anything else.
  private var started: (process: WorkerProcess, node: WorkerNode<WorkerProcess>)?

  init(
    options: NodeOptions, search: CoordinatorSearch, dataFolder: String?,
    telemetry: TelemetryBoard?, signals: SignalPipe,
    outcome: OutcomeBox
  ) {
    self.options = options
    self.search = search
    stopDelay = StopDelay(seconds: options.stopDelay)
    self.dataFolder = dataFolder
    self.telemetry = telemetry
    self.signals = signals
    self.outcome = outcome
  }

  func started(on loop: NetworkLoop<WorkerEvent>) throws {
    let coordinator = try loop.connectDealer(
      "\(search.endpoint)", maximumFrameBytes: WireLimits.controlFrameBytes)
    let process = WorkerProcess(
      loop: loop, coordinator: coordinator, dataFolder: dataFolder, outcome: outcome)
    search.announce(options)
    let node = WorkerNode(
      hello: options.hello(.worker, dataEndpoint: ""), limits: options.membershipLimits,
      coordinator: coordinator, in: process)
    started = (process, node)
    node.handle(.tick)
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<WorkerEvent>) {
    started?.node.received(message, from: peer)
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<WorkerEvent>) {
    // Unanswered requests are retried; the session decides when a peer counts as lost.
  }

  func ticked(at now: Duration, on loop: NetworkLoop<WorkerEvent>) {
    if stopDelay.isOver(isRequested: signals.next() != nil, at: MonotonicClock.seconds) {
      started?.node.handle(.stopRequested)
    }
    if let coordinator = started?.process.coordinator { search.follow(coordinator, on: loop) }
    started?.node.handle(.tick)
    telemetry?.leave(at: MonotonicClock.seconds) { parts(on: loop) }
  }

  func posted(_ event: WorkerEvent, on loop: NetworkLoop<WorkerEvent>) {
    started?.node.handle(event)
  }

  func ended(on loop: NetworkLoop<WorkerEvent>) { telemetry?.leaveLast(parts(on: loop)) }

  private func parts(on loop: NetworkLoop<WorkerEvent>) -> [TelemetryBoard.Part] {
    guard let (process, node) = started else { return [] }
    return [
      TelemetryBoard.Part(
        "worker",
        WorkerMetrics(
          node.session, examples: process.examples, taskProgress: process.taskProgress),
        TelemetryBoard.Status(node.session)),
      .network("worker", loop.statistics),
    ]
  }
}

/// The environment of a worker process: its sockets and its computation.
private final class WorkerProcess: ZeroMQMemberEnvironment, WorkerEnvironment {
  let loop: NetworkLoop<WorkerEvent>
  let coordinator: PeerID
  let logs = NodeLogs(label: "mrdib.worker")
  let outcome: OutcomeBox
  private let computation: WorkerComputation

  init(
    loop: NetworkLoop<WorkerEvent>, coordinator: PeerID, dataFolder: String?, outcome: OutcomeBox
  ) {
    self.loop = loop
    self.coordinator = coordinator
    self.outcome = outcome
    let mailbox = loop.mailbox
    computation = WorkerComputation(dataFolder: dataFolder) { event in
      // Posting fails once the loop has ended; then nothing needs the result.
      try? mailbox.post(event)
    }
  }

  var taskProgress: UInt64 { computation.progress }

  var examples: UInt64 { computation.examples }

  func setUp(_ welcome: Welcome) {
    ServiceManager.inherited.ready("worker \(welcome.rank) of run \(welcome.runID)")
    computation.setUp(welcome)
  }

  func begin(_ task: WorkerTask) { computation.begin(task) }

  func advance(_ task: UInt64, _ input: WorkInput) { computation.advance(task, input) }

  func end(_ ending: WorkerEnding) {
    switch ending {
    case .left(let departure): end(RoleOutcome(departure))
    case .cannotConnect(let message):
      end(RoleOutcome(exitCode: .unavailable, message: message))
    }
  }
}
