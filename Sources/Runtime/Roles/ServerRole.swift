import Enrollment
import Logging
import Messages
import ParameterServer
import RunConfiguration
import Transport

/// A parameter server process: joins the coordinator's run and holds its rows until the run is
/// over.
public struct ServerRole: Sendable {
  private let options: NodeOptions
  private let listen: String
  private let advertisedHost: String?
  private let endpointFile: EndpointFile?

  /// - Parameters:
  ///   - listen: where workers connect, such as `tcp://127.0.0.1:*` for a free port.
  ///   - advertisedHost: at which workers reach this machine, when `listen` does not say it.
  ///   - endpointFile: where it says at which address it is reached.
  public init(
    options: NodeOptions, listen: String, advertisedHost: String?,
    endpointFile: EndpointFile? = nil
  ) {
    self.options = options
    self.listen = listen
    self.advertisedHost = advertisedHost
    self.endpointFile = endpointFile
  }

  /// Blocks until the server has left the run.
  ///
  /// - Throws: `TransportError` when the network cannot be used at all.
  public func run(signals: SignalPipe) throws -> RoleOutcome {
    try ProcessNeeds.server(workers: 1, tableBytes: 0).check(.current(), for: "a server")
    defer { endpointFile?.remove() }
    let outcome = OutcomeBox()
    let context = try ZeroMQContext()
    // Every socket is closed when the thread has ended: nothing is left to wait for.
    defer { try? context.terminate() }
    let watch = NetworkWatch(label: "mrdib.server")
    let thread = try NetworkThread<ServerBackground<PeerID>.Outcome>(
      name: "server-network", context: context, settings: watch.settings(options.security)
    ) { [self] in
      ServerHandler(
        options: options, listen: listen, advertisedHost: advertisedHost,
        endpointFile: endpointFile, signals: signals, outcome: outcome)
    }
    options.warnOfUnreachableHost(Logger(label: "mrdib.server"), until: outcome)
    try thread.join()
    return options.explain(watch.explain(outcome.value))
  }
}

/// The shell of ``ServerSession``. Lives on the network thread, which also applies the updates: a
/// version's rows belong to one thread.
private final class ServerHandler: NetworkHandler {
  typealias Event = ServerBackground<PeerID>.Outcome

  private let options: NodeOptions
  private let listen: String
  private let advertisedHost: String?
  private let endpointFile: EndpointFile?
  private let signals: SignalPipe
  private let outcome: OutcomeBox
  private let logger = Logger(label: "mrdib.server")
  /// A peer that reads nothing can cause as many of these as it likes.
  private let unanswered = RateLimitedLog(label: "mrdib.server")
  private var session: ServerSession<PeerID>?
  private var background: ServerBackground<PeerID>?
  private var coordinator: PeerID?
  /// Of the generation that is being prepared or served.
  private var welcome: Welcome?
  private var memory = UnusedMemory()
  private var now: Double { MonotonicClock.seconds }

  init(
    options: NodeOptions, listen: String, advertisedHost: String?, endpointFile: EndpointFile?,
    signals: SignalPipe, outcome: OutcomeBox
  ) {
    self.options = options
    self.listen = listen
    self.advertisedHost = advertisedHost
    self.endpointFile = endpointFile
    self.signals = signals
    self.outcome = outcome
  }

  func started(on loop: NetworkLoop<Event>) throws {
    let mailbox = loop.mailbox
    background = ServerBackground { outcome in
      // A loop that has ended wants no more news.
      try? mailbox.post(outcome)
    }
    let listener = try loop.bindRouter(listen, advertisedHost: advertisedHost)
    let reached = "\(listener.advertised)"
    do {
      _ = try Endpoint(reached)
    } catch {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot tell workers where this server is, which was to be said with --advertise "
          + "HOST: \(error)")
    }
    guard !reached.contains("//0.0.0.0:"), !reached.contains("//*:"), !reached.contains("//[::]:")
    else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot tell workers where this server is: it listens at \(listener.endpoint), "
          + "which is every address of this machine. Name the one that workers reach with "
          + "--advertise HOST.")
    }
    listener.endpoint.warnIfUnreachable(logger)
    coordinator = try loop.connectDealer(
      options.coordinator, maximumFrameBytes: WireLimits.controlFrameBytes)
    try endpointFile?.write(listener.advertised)
    logger.info("\(options.searchSentence)")
    var limits = Enrollment.Limits()
    limits.joinTimeout = options.joinTimeout
    session = ServerSession(
      hello: options.hello(.server, dataEndpoint: reached), limits: limits, at: now)
    logger.info("listening at \(listener.endpoint), reached at \(listener.advertised)")
    handle(.tick, on: loop)
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Event>) {
    if peer == coordinator {
      do {
        handle(.coordinator(try CoordinatorLetter(decoding: message)), on: loop)
      } catch {
        loop.recordMalformedMessage("\(error)")
      }
      return
    }
    do {
      handle(.request(try DataRequest(decoding: message), from: peer), on: loop)
    } catch {
      loop.recordMalformedMessage("\(error)")
      guard let id = error.requestID else { return }
      send(DataReply(requestID: id, body: .refused(error.refusal)), to: peer, on: loop)
    }
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Event>) {
    if peer != coordinator { handle(.peerGone(peer), on: loop) }
  }

  func ticked(at now: Duration, on loop: NetworkLoop<Event>) {
    if signals.next() != nil { handle(.stopRequested, on: loop) }
    handle(.tick, on: loop)
    memory.tick(at: self.now, bytesMoved: loop.statistics.bytesMoved)
  }

  func posted(_ event: Event, on loop: NetworkLoop<Event>) {
    if case .checkpointFailed(_, let version, let message) = event {
      logger.warning("the checkpoint of version \(version) was not written: \(message)")
    }
    handle(event.event, on: loop)
  }

  private func handle(_ event: ServerSessionEvent<PeerID>, on loop: NetworkLoop<Event>) {
    for action in session?.handle(event, at: now) ?? [] { perform(action, on: loop) }
  }

  private func perform(_ action: ServerSessionAction<PeerID>, on loop: NetworkLoop<Event>) {
    switch action {
    case .tell(let message): tell(message, on: loop)
    case .beat(let generation, let version):
      tell(.heartbeat(.current(generation: generation, version: version)), on: loop)
    case .reply(let reply, let peer): send(reply, to: peer, on: loop)
    case .prepare(let welcome):
      let version = welcome.restored?.version ?? 0
      logger.info(
        "server \(welcome.rank) of generation \(welcome.generation) begins at version \(version)")
      self.welcome = welcome
      background?.prepare(welcome)
    case .writeCheckpoint(let snapshot):
      if let welcome { background?.write(snapshot, of: welcome) }
    case .warn(let warning): logger.warning("\(warning)")
    case .leave(let departure): end(RoleOutcome(departure), on: loop)
    }
  }

  private func tell(_ message: NodeMessage, on loop: NetworkLoop<Event>) {
    guard let coordinator else { return }
    do {
      try loop.send(message.encoded(), to: coordinator)
    } catch {
      logger.warning("could not tell the coordinator: \(error)")
    }
  }

  private func send(_ reply: DataReply, to peer: PeerID, on loop: NetworkLoop<Event>) {
    do {
      try loop.send(reply.encoded(), to: peer)
    } catch {
      // The peer asks again if it is still there.
      unanswered.warning("could not answer: \(error)")
      if error.code == .peerGone { handle(.peerGone(peer), on: loop) }
    }
  }

  private func end(_ result: RoleOutcome, on loop: NetworkLoop<Event>) {
    if let done = session?.statistics, done != ServerStatistics() { logger.info("in all: \(done)") }
    logger.info("leaving: \(result.message)")
    outcome.set(result)
    loop.stop()
  }
}
