import Configuration
import Logging
import Nodes
import ParameterServer
import Protocol
import Tensors
import Transport

/// A parameter server process: joins the coordinator's run and holds its rows until the run is
/// over.
package struct ServerRole: Sendable {
  private let options: NodeOptions
  private let listen: String
  private let advertisedHost: String?
  private let endpointFile: EndpointFile?
  private let checkpointFolder: String?
  private let telemetry: TelemetryBoard?

  /// - Parameters:
  ///   - listen: where workers connect, such as `tcp://127.0.0.1:*` for a free port.
  ///   - advertisedHost: where workers reach this machine, if `listen` does not name it.
  ///   - endpointFile: receives the address at which workers reach the process.
  ///   - checkpointFolder: where this machine keeps checkpoints of which there are copies, if not
  ///     in the run's `checkpoint_folder`.
  ///   - telemetry: receives the counters of the process.
  package init(
    options: NodeOptions, listen: String, advertisedHost: String?,
    endpointFile: EndpointFile? = nil, checkpointFolder: String? = nil,
    telemetry: TelemetryBoard? = nil
  ) {
    self.checkpointFolder = checkpointFolder
    self.options = options
    self.listen = listen
    self.advertisedHost = advertisedHost
    self.endpointFile = endpointFile
    self.telemetry = telemetry
  }

  /// Blocks until the server has left the run.
  ///
  /// - Throws: `TransportError` when the network cannot be used at all.
  package func run(signals: SignalPipe) throws -> RoleOutcome {
    try ProcessNeeds.server(workers: 1, tableBytes: 0, lanes: Lanes.current.count)
      .check(.current(), for: "a server")
    defer { endpointFile?.remove() }
    let search: CoordinatorSearch
    do {
      search = try CoordinatorSearch(options, signals: signals, label: "mrdib.server")
    } catch let ending as RoleEnding {
      return ending.outcome
    }
    let outcome = OutcomeBox()
    let context = try ZeroMQContext()
    // All sockets are closed once the thread has ended, so this does not block.
    defer { try? context.terminate() }
    let watch = NetworkWatch(label: "mrdib.server")
    let thread = try NetworkThread<ServerSessionEvent<PeerID>>(
      name: "server-network", context: context,
      settings: watch.settings(options.security, telemetry)
    ) { [self] in
      ServerHandler(
        options: options, search: search, listen: listen, advertisedHost: advertisedHost,
        endpointFile: endpointFile,
        copies: CheckpointCopies(folder: checkpointFolder, security: options.security),
        telemetry: telemetry, signals: signals, outcome: outcome)
    }
    options.warnOfUnreachableHost(search.endpoint, Logger(label: "mrdib.server"), until: outcome)
    try thread.join()
    return options.explain(watch.explain(outcome.value), at: search.endpoint)
  }
}

/// Connects the node of a server to the network. Runs on the network thread, which also applies the
/// updates: the tables belong to one thread.
private final class ServerHandler: NetworkHandler {
  typealias Event = ServerSessionEvent<PeerID>

  private let options: NodeOptions
  private let search: CoordinatorSearch
  private let listen: String
  private let advertisedHost: String?
  private let endpointFile: EndpointFile?
  private let copies: CheckpointCopies
  private let telemetry: TelemetryBoard?
  private let signals: SignalPipe
  private var stopDelay: StopDelay
  private let outcome: OutcomeBox
  /// Set by `started(on:)`, which is called before anything else.
  private var started: (process: ServerProcess, node: ServerNode<ServerProcess>)?
  private var socket: ListeningSocket<Event>?
  private var memory = UnusedMemory()

  init(
    options: NodeOptions, search: CoordinatorSearch, listen: String, advertisedHost: String?,
    endpointFile: EndpointFile?, copies: CheckpointCopies, telemetry: TelemetryBoard?,
    signals: SignalPipe, outcome: OutcomeBox
  ) {
    self.copies = copies
    self.options = options
    self.search = search
    stopDelay = StopDelay(seconds: options.stopDelay)
    self.listen = listen
    self.advertisedHost = advertisedHost
    self.endpointFile = endpointFile
    self.telemetry = telemetry
    self.signals = signals
    self.outcome = outcome
  }

  func started(on loop: NetworkLoop<Event>) throws {
    let logs = NodeLogs(label: "mrdib.server")
    let socket = try ListeningSocket(
      listen, advertisedHost: advertisedHost, label: "mrdib.server", on: loop)
    self.socket = socket
    let listener = socket.listener
    try Self.checkAdvertised(listener)
    listener.endpoint.warnIfUnreachable(logs.logger)
    let coordinator = try loop.connectDealer(
      "\(search.endpoint)", maximumFrameBytes: WireLimits.controlFrameBytes)
    try endpointFile?.write(listener.advertised)
    search.announce(options)
    let process = ServerProcess(
      loop: loop, coordinator: coordinator, copies: copies, logs: logs, outcome: outcome)
    let node = ServerNode(
      hello: options.hello(.server, dataEndpoint: "\(listener.advertised)"),
      limits: options.membershipLimits, coordinator: coordinator, in: process)
    started = (process, node)
    logs.logger.info("listening at \(listener.endpoint), reached at \(listener.advertised)")
    node.handle(.tick)
  }

  /// - Throws: ``RuntimeError`` if workers cannot connect to the address that they would receive.
  private static func checkAdvertised(_ listener: NetworkLoop<Event>.Listener) throws {
    let reached = "\(listener.advertised)"
    do {
      _ = try Endpoint(reached)
    } catch {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot advertise this server to workers (--advertise HOST): \(error)")
    }
    guard !listener.advertised.isEveryAddress else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot advertise this server to workers: it listens at \(listener.endpoint), "
          + "which means all addresses of this machine. Name the one that workers reach with "
          + "--advertise HOST.")
    }
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Event>) {
    started?.node.received(message, from: peer)
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Event>) {
    // The coordinator may reconnect, so only its silence counts.
    if peer != started?.process.coordinator { started?.node.handle(.peerGone(peer)) }
  }

  func ticked(at now: Duration, on loop: NetworkLoop<Event>) {
    let now = MonotonicClock.seconds
    if stopDelay.isOver(isRequested: signals.next() != nil, at: now) {
      started?.node.handle(.stopRequested)
    }
    if let coordinator = started?.process.coordinator { search.follow(coordinator, on: loop) }
    started?.node.handle(.tick)
    socket?.tick(at: now, on: loop)
    memory.tick(at: now, bytesMoved: loop.statistics.bytesMoved)
    telemetry?.leave(at: now) { parts(on: loop) }
  }

  func posted(_ event: Event, on loop: NetworkLoop<Event>) {
    started?.node.handle(event)
  }

  func ended(on loop: NetworkLoop<Event>) {
    telemetry?.leaveLast(parts(on: loop))
    started?.process.endWriting()
  }

  private func parts(on loop: NetworkLoop<Event>) -> [TelemetryBoard.Part] {
    guard let (process, node) = started else { return [] }
    return [
      TelemetryBoard.Part(
        "server", ServerMetrics(node.session, checkpoints: process.checkpointStatistics),
        TelemetryBoard.Status(node.session)),
      .network("server", loop.statistics),
    ]
  }
}

/// The environment of a server process: its sockets and queues.
private final class ServerProcess: ZeroMQMemberEnvironment, ServerEnvironment {
  let loop: NetworkLoop<ServerSessionEvent<PeerID>>
  let coordinator: PeerID
  let logs: NodeLogs
  let outcome: OutcomeBox
  private let background: ServerBackground<PeerID>

  init(
    loop: NetworkLoop<ServerSessionEvent<PeerID>>, coordinator: PeerID,
    copies: CheckpointCopies, logs: NodeLogs, outcome: OutcomeBox
  ) {
    self.loop = loop
    self.coordinator = coordinator
    self.logs = logs
    self.outcome = outcome
    let mailbox = loop.mailbox
    background = ServerBackground(copies: copies) { event in
      // Posting fails once the loop has ended; then nothing needs the result.
      try? mailbox.post(event)
    }
  }

  func send(_ reply: DataReply, to peer: PeerID) -> Bool {
    send(reply.encoded(), to: peer)?.code != .peerGone
  }

  var checkpointStatistics: CheckpointWritingStatistics { background.statistics }

  func prepare(_ welcome: Welcome) {
    ServiceManager.inherited.ready("server \(welcome.rank) of run \(welcome.runID)")
    background.prepare(welcome)
  }

  func write(_ snapshot: ServerSnapshot, of welcome: Welcome) {
    background.write(snapshot, of: welcome)
  }

  func exchange(_ copy: CopyRequest, id: UInt64, with peer: PeerID) {
    background.exchange(copy, id: id, with: peer)
  }

  func learnServers(_ endpoints: [String], of generation: UInt64) {
    background.learnServers(endpoints, of: generation)
  }

  func keepManifest(_ manifest: String, _ content: String, of welcome: Welcome) {
    background.keepManifest(manifest, content, of: welcome)
  }

  func inspect(_ question: DiskQuestion, _ report: DiskReport) {
    background.inspect(question, report)
  }

  func noteOver(_ welcome: Welcome) { background.noteOver(welcome) }

  func end(_ departure: Departure) { end(RoleOutcome(departure)) }

  func endWriting() { background.end() }
}
