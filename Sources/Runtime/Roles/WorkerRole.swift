import Enrollment
import Logging
import Messages
import Training
import Transport

/// A worker process: joins the coordinator's run and computes until the run is over.
public struct WorkerRole: Sendable {
  private let options: NodeOptions
  private let dataFolder: String?

  /// - Parameter dataFolder: where the data lies on this machine, if not where the coordinator has
  ///   it.
  public init(options: NodeOptions, dataFolder: String?) {
    self.options = options
    self.dataFolder = dataFolder
  }

  /// Blocks until the worker has left the run.
  ///
  /// - Throws: `TransportError` when the network cannot be used at all.
  public func run(signals: SignalPipe) throws -> RoleOutcome {
    try ProcessNeeds.worker(servers: 1).check(.current(), for: "a worker")
    let outcome = OutcomeBox()
    let context = try ZeroMQContext()
    // Every socket is closed when the thread has ended: nothing is left to wait for.
    defer { try? context.terminate() }
    let watch = NetworkWatch(label: "mrdib.worker")
    let thread = try NetworkThread<WorkerComputation.Outcome>(
      name: "worker-network", context: context, settings: watch.settings(options.security)
    ) { [options, dataFolder] in
      WorkerHandler(options: options, dataFolder: dataFolder, signals: signals, outcome: outcome)
    }
    options.warnOfUnreachableHost(Logger(label: "mrdib.worker"), until: outcome)
    try thread.join()
    return options.explain(watch.explain(outcome.value))
  }
}

/// The shell of ``WorkerSession``: its sockets, clock and computation. Lives on the network thread.
private final class WorkerHandler: NetworkHandler {
  private let options: NodeOptions
  private let dataFolder: String?
  private let signals: SignalPipe
  private let outcome: OutcomeBox
  private let logger = Logger(label: "mrdib.worker")
  private var session: WorkerSession
  private var computation: WorkerComputation?
  private var coordinator: PeerID?
  private var servers: [PeerID] = []
  private var endpoints: [String] = []
  /// Connections beside, by server.
  private var probes: [Int: PeerID] = [:]
  private var serverIndex: [PeerID: Int] = [:]
  private var now: Double { MonotonicClock.seconds }

  init(
    options: NodeOptions, dataFolder: String?, signals: SignalPipe, outcome: OutcomeBox
  ) {
    self.options = options
    self.dataFolder = dataFolder
    self.signals = signals
    self.outcome = outcome
    var limits = Enrollment.Limits()
    limits.joinTimeout = options.joinTimeout
    session = WorkerSession(
      hello: options.hello(.worker, dataEndpoint: ""), limits: limits, at: MonotonicClock.seconds)
  }

  func started(on loop: NetworkLoop<WorkerComputation.Outcome>) throws {
    let mailbox = loop.mailbox
    computation = WorkerComputation(dataFolder: dataFolder) { outcome in
      // A loop that has ended wants no more news.
      try? mailbox.post(outcome)
    }
    coordinator = try loop.connectDealer(
      options.coordinator, maximumFrameBytes: WireLimits.controlFrameBytes)
    logger.info("\(options.searchSentence)")
    handle(.tick, on: loop)
  }

  func received(
    _ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<WorkerComputation.Outcome>
  ) {
    do {
      if let server = serverIndex[peer] {
        handle(.reply(try DataReply(decoding: message), server: server), on: loop)
      } else {
        // Late words of a server of an earlier generation, whose connection is closed.
        guard peer == coordinator else { return }
        handle(.coordinator(try CoordinatorLetter(decoding: message)), on: loop)
      }
    } catch {
      loop.recordMalformedMessage("\(error)")
    }
  }

  func lost(
    _ peer: PeerID, undelivered: Int, on loop: NetworkLoop<WorkerComputation.Outcome>
  ) {
    // Unanswered requests are sent again; the session decides when a peer counts as lost.
  }

  func ticked(at now: Duration, on loop: NetworkLoop<WorkerComputation.Outcome>) {
    if signals.next() != nil { handle(.stopRequested, on: loop) }
    handle(.tick, on: loop)
  }

  func posted(
    _ event: WorkerComputation.Outcome, on loop: NetworkLoop<WorkerComputation.Outcome>
  ) {
    switch event {
    case .setUp(let generation, let timeouts):
      handle(.setUp(generation: generation, timeouts), on: loop)
    case .setUpFailed(let generation, let message):
      handle(.setUpFailed(generation: generation, message), on: loop)
    case .advanced(let task, let output): handle(.advanced(task: task, output), on: loop)
    case .taskFailed(let task, let failure): handle(.taskFailed(task: task, failure), on: loop)
    }
  }

  private func handle(
    _ event: WorkerEvent, on loop: NetworkLoop<WorkerComputation.Outcome>
  ) {
    for action in session.handle(event, at: now) { perform(action, on: loop) }
  }

  private func perform(
    _ action: WorkerAction, on loop: NetworkLoop<WorkerComputation.Outcome>
  ) {
    switch action {
    case .tell(let message): tell(message, on: loop)
    case .beat(let generation, let task):
      tell(
        .heartbeat(
          .current(
            generation: generation, taskProgress: task == 0 ? 0 : computation?.progress ?? 0,
            taskID: task)),
        on: loop)
    case .setUp(let welcome):
      logger.info(
        "worker \(welcome.rank) of run \(welcome.runID), generation \(welcome.generation)")
      computation?.setUp(welcome)
    case .connect(let endpoints): connect(endpoints, on: loop)
    case .request(let request, let server):
      // There are none when they could not be connected to: the worker is about to end.
      guard servers.indices.contains(server) else { return }
      send(request.encoded(), to: servers[server], on: loop)
    case .probe(let request, let server): probe(server, with: request, on: loop)
    case .warn(let warning): logger.warning("\(warning)")
    case .begin(let task): computation?.begin(task)
    case .advance(let task, let input): computation?.advance(task, input)
    case .leave(let departure): end(RoleOutcome(departure), on: loop)
    }
  }

  private func connect(
    _ endpoints: [String], on loop: NetworkLoop<WorkerComputation.Outcome>
  ) {
    closeServers(on: loop)
    self.endpoints = endpoints
    do {
      for endpoint in endpoints {
        let peer = try loop.connectDealer(endpoint)
        serverIndex[peer] = servers.count
        servers.append(peer)
      }
    } catch {
      let message = "Cannot connect to server \(servers.count): \(error)"
      closeServers(on: loop)
      tell(.goodbye(reason: message), on: loop)
      let isPassing = PassingShortage.caused(error)
      end(
        RoleOutcome(exitCode: isPassing ? .transient : .unavailable, message: message), on: loop)
    }
  }

  private func closeServers(on loop: NetworkLoop<WorkerComputation.Outcome>) {
    for peer in serverIndex.keys { loop.close(peer.connection) }
    servers = []
    probes = [:]
    serverIndex = [:]
  }

  /// A connection that was opened to see whether a server is there stays, for the next time.
  private func probe(
    _ server: Int, with request: DataRequest, on loop: NetworkLoop<WorkerComputation.Outcome>
  ) {
    guard servers.indices.contains(server) else { return }
    do {
      let peer = try probes[server] ?? loop.connectDealer(endpoints[server])
      probes[server] = peer
      serverIndex[peer] = server
      send(request.encoded(), to: peer, on: loop)
    } catch {
      logger.warning("could not look whether server \(server) is there: \(error)")
    }
  }

  private func tell(_ message: NodeMessage, on loop: NetworkLoop<WorkerComputation.Outcome>) {
    if let coordinator { send(message.encoded(), to: coordinator, on: loop) }
  }

  private func send(
    _ message: WireMessage, to peer: PeerID, on loop: NetworkLoop<WorkerComputation.Outcome>
  ) {
    do {
      try loop.send(message, to: peer)
    } catch {
      // What matters is sent again when no answer comes.
      logger.warning("could not send: \(error)")
    }
  }

  private func end(
    _ result: RoleOutcome, on loop: NetworkLoop<WorkerComputation.Outcome>
  ) {
    logger.info("leaving: \(result.message)")
    outcome.set(result)
    loop.stop()
  }
}
