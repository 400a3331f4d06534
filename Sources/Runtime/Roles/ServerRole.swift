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

  /// - Parameters:
  ///   - listen: where workers connect, such as `tcp://127.0.0.1:*` for a free port.
  ///   - advertisedHost: at which workers reach this machine, when `listen` does not say it.
  public init(options: NodeOptions, listen: String, advertisedHost: String?) {
    self.options = options
    self.listen = listen
    self.advertisedHost = advertisedHost
  }

  /// Blocks until the server has left the run.
  ///
  /// - Throws: `TransportError` when the network cannot be used at all.
  public func run(signals: SignalPipe) throws -> RoleOutcome {
    let outcome = OutcomeBox()
    let context = try ZeroMQContext()
    // Every socket is closed when the thread has ended: nothing is left to wait for.
    defer { try? context.terminate() }
    let thread = try NetworkThread<Never>(name: "server-network", context: context) { [self] in
      ServerHandler(
        options: options, listen: listen, advertisedHost: advertisedHost, signals: signals,
        outcome: outcome)
    }
    try thread.join()
    return outcome.value
  }
}

/// The shell of ``ServerState`` and the server's ``Enrollment``. Lives on the network thread,
/// which also applies the updates: a version's rows belong to one thread.
private final class ServerHandler: NetworkHandler {
  typealias Event = Never

  private let options: NodeOptions
  private let listen: String
  private let advertisedHost: String?
  private let signals: SignalPipe
  private let outcome: OutcomeBox
  private let logger = Logger(label: "mrdib.server")
  private var enrollment: Enrollment?
  private var state: ServerState<PeerID>?
  private var coordinator: PeerID?
  private var now: Double { MonotonicClock.seconds }

  init(
    options: NodeOptions, listen: String, advertisedHost: String?, signals: SignalPipe,
    outcome: OutcomeBox
  ) {
    self.options = options
    self.listen = listen
    self.advertisedHost = advertisedHost
    self.signals = signals
    self.outcome = outcome
  }

  func started(on loop: NetworkLoop<Never>) throws {
    let listener = try loop.bindRouter(listen, advertisedHost: advertisedHost)
    let reached = "\(listener.advertised)"
    guard !reached.contains("//0.0.0.0:"), !reached.contains("//*:"), !reached.contains("//[::]:")
    else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot tell workers where this server is: it listens at \(listener.endpoint), "
          + "which is every address of this machine. Name the one that workers reach with "
          + "--advertise HOST.")
    }
    coordinator = try loop.connectDealer(options.coordinator)
    var limits = Enrollment.Limits()
    limits.joinTimeout = options.joinTimeout
    enrollment = Enrollment(
      hello: options.hello(.server, dataEndpoint: reached), limits: limits,
      at: now)
    logger.info("listening at \(listener.endpoint), reached at \(listener.advertised)")
    perform(enrollment?.tick(at: now) ?? [], on: loop)
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Never>) {
    if peer == coordinator {
      do {
        let message = try CoordinatorMessage(decoding: message)
        perform(enrollment?.handle(message, at: now) ?? [], on: loop)
      } catch {
        loop.recordMalformedMessage()
        logger.warning("dropped a message of the coordinator: \(error)")
      }
      return
    }
    do {
      answer(try DataRequest(decoding: message), from: peer, on: loop)
    } catch {
      loop.recordMalformedMessage()
      guard let id = error.requestID else { return }
      send(DataReply(requestID: id, body: .refused(error.refusal)), to: peer, on: loop)
    }
  }

  private func answer(_ request: DataRequest, from peer: PeerID, on loop: NetworkLoop<Never>) {
    guard state != nil else {
      let refusal = Refusal(
        code: .notReady, message: "this server has not joined its run yet; ask again")
      send(DataReply(requestID: request.id, body: .refused(refusal)), to: peer, on: loop)
      return
    }
    for action in state?.handle(.request(request, from: peer)) ?? [] {
      switch action {
      case .reply(let reply, let peer): send(reply, to: peer, on: loop)
      }
    }
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Never>) {
    if peer != coordinator { _ = state?.handle(.peerGone(peer)) }
  }

  func ticked(at now: Duration, on loop: NetworkLoop<Never>) {
    if signals.next() != nil {
      tell(.goodbye(reason: "it was asked to stop"), on: loop)
      return end(RoleOutcome(exitCode: .success, message: "asked to stop"), on: loop)
    }
    perform(enrollment?.tick(at: self.now) ?? [], on: loop)
  }

  func posted(_ event: Never, on loop: NetworkLoop<Never>) {}

  private func perform(_ actions: [Enrollment.Action], on loop: NetworkLoop<Never>) {
    for action in actions {
      switch action {
      case .tell(let message): tell(message, on: loop)
      case .beat:
        tell(.heartbeat(.current(taskProgress: state?.version ?? 0)), on: loop)
      case .begin(let welcome): begin(welcome, on: loop)
      case .welcomedAgain: if state != nil { tell(.ready, on: loop) }
      case .leave(let departure): end(RoleOutcome(departure), on: loop)
      }
    }
  }

  private func begin(_ welcome: Welcome, on loop: NetworkLoop<Never>) {
    do {
      state = try ServerState(welcome, configuration: RunConfiguration(welcome))
      logger.info("joined run \(welcome.runID) as server \(welcome.rank)")
      tell(.ready, on: loop)
    } catch {
      let message = "server \(welcome.rank) cannot take part: \(error)"
      tell(.goodbye(reason: message), on: loop)
      end(RoleOutcome(exitCode: .failure, message: message), on: loop)
    }
  }

  private func tell(_ message: NodeMessage, on loop: NetworkLoop<Never>) {
    guard let coordinator else { return }
    do {
      try loop.send(message.encoded(), to: coordinator)
    } catch {
      logger.warning("could not tell the coordinator: \(error)")
    }
  }

  private func send(_ reply: DataReply, to peer: PeerID, on loop: NetworkLoop<Never>) {
    do {
      try loop.send(reply.encoded(), to: peer)
    } catch {
      // The peer asks again if it is still there.
      logger.warning("could not answer: \(error)")
    }
  }

  private func end(_ result: RoleOutcome, on loop: NetworkLoop<Never>) {
    logger.info("leaving: \(result.message)")
    outcome.set(result)
    loop.stop()
  }
}
