import Coordination
import Foundation
import Logging
import Messages
import Models
import Training
import Transport

/// A coordinator process: waits for the nodes of a run, leads it to its end, and keeps its records.
public struct CoordinatorRole: Sendable {
  private let setup: RunSetup
  private let runID: String
  private let listen: String
  private let isQuiet: Bool
  private let makeDirectory: @Sendable () throws -> RunDirectory

  /// - Parameters:
  ///   - listen: where nodes connect, such as `tcp://0.0.0.0:7000`.
  ///   - makeDirectory: called when the address has turned out to be usable: before that, nothing
  ///     is made that the next try would stumble over, and no old run is replaced.
  public init(
    setup: RunSetup, runID: String, listen: String, isQuiet: Bool,
    makeDirectory: @escaping @Sendable () throws -> RunDirectory
  ) {
    self.setup = setup
    self.runID = runID
    self.listen = listen
    self.isQuiet = isQuiet
    self.makeDirectory = makeDirectory
  }

  /// Blocks until the run has ended.
  ///
  /// - Throws: errors with a sentence when the run cannot begin.
  public func run(signals: SignalPipe) throws -> RoleOutcome {
    let plan = setup.plan(runID: runID)
    let outcome = OutcomeBox()
    let context = try ZeroMQContext()
    // Every socket is closed when the thread has ended: nothing is left to wait for.
    defer { try? context.terminate() }
    let thread = try NetworkThread<Never>(name: "coordinator", context: context) { [self] in
      try CoordinatorHandler(
        setup: setup, plan: plan, listen: listen, isQuiet: isQuiet, signals: signals,
        outcome: outcome, makeDirectory: makeDirectory)
    }
    try thread.join()
    return outcome.value
  }
}

/// The shell of ``CoordinatorState``. Lives on the network thread.
private final class CoordinatorHandler: NetworkHandler {
  typealias Event = Never

  private let setup: RunSetup
  private let plan: RunPlan
  private let listen: String
  private let signals: SignalPipe
  private let outcome: OutcomeBox
  private let logger = Logger(label: "mrdib.coordinator")
  private let isQuiet: Bool
  private let makeDirectory: () throws -> RunDirectory
  /// There from the start on, which comes before every other event.
  private var keeper: RunKeeper?
  /// Set when the records cannot be written: nothing is done any more.
  private var hasFailed = false
  private var state: CoordinatorState
  /// Nodes by connection, and back.
  private var nodes: [PeerID: NodeID] = [:]
  private var peers: [NodeID: PeerID] = [:]
  private var stopSignal: Int32 = 2
  // The reading of the best model from the servers.
  private var conversation = ServerConversation()
  private var servers: [PeerID] = []
  private var serverIndex: [PeerID: Int] = [:]
  private var endpoints: [String] = []
  private var saving: (writer: BestModelWriter, reading: ReadTablesWork)?
  private var now: Double { MonotonicClock.seconds }

  init(
    setup: RunSetup, plan: RunPlan, listen: String, isQuiet: Bool, signals: SignalPipe,
    outcome: OutcomeBox, makeDirectory: @escaping () throws -> RunDirectory
  ) throws {
    self.setup = setup
    self.plan = plan
    self.listen = listen
    self.isQuiet = isQuiet
    self.makeDirectory = makeDirectory
    self.signals = signals
    self.outcome = outcome
    state = try CoordinatorState(plan: plan)
  }

  func started(on loop: NetworkLoop<Never>) throws {
    let listener = try loop.bindRouter(listen)
    keeper = try RunKeeper(
      directory: makeDirectory(), setup: setup, plan: plan, standing: state.standing,
      isQuiet: isQuiet)
    logger.info("run \(plan.runID) is listening at \(listener.endpoint)")
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Never>) {
    do {
      if let server = serverIndex[peer] {
        let reply = try DataReply(decoding: message)
        converse(conversation.handle(reply, from: server, at: now), on: loop)
        return
      }
      let message = try NodeMessage(decoding: message)
      if case .hello(let hello) = message {
        nodes[peer] = hello.incarnation
        peers[hello.incarnation] = peer
      }
      // A stranger that has not said hello is not answered.
      guard let node = nodes[peer] else { return loop.recordMalformedMessage() }
      handle(.message(message, from: node), on: loop)
    } catch {
      loop.recordMalformedMessage()
      logger.warning("dropped a message: \(error)")
      if error.code == .protocolVersion {
        send(.refused(error.refusal), to: peer, on: loop)
      }
      if let node = nodes[peer] {
        handle(.undecodable(from: node, message: "\(error)"), on: loop)
      }
    }
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Never>) {
    // Silence decides: a node may come back on the same connection.
  }

  func ticked(at now: Duration, on loop: NetworkLoop<Never>) {
    if let signal = signals.next() {
      stopSignal = signal
      handle(.stopRequested(reason: signal == 2 ? "Ctrl-C" : "a request to stop"), on: loop)
    }
    handle(.tick, on: loop)
    if saving != nil { converse(conversation.tick(at: self.now), on: loop) }
  }

  func posted(_ event: Never, on loop: NetworkLoop<Never>) {}

  private func handle(_ event: CoordinatorEvent, on loop: NetworkLoop<Never>) {
    guard !hasFailed else { return }
    for action in state.handle(event, at: now) where !hasFailed { perform(action, on: loop) }
  }

  private func perform(_ action: CoordinatorAction, on loop: NetworkLoop<Never>) {
    switch action {
    case .send(let message, let node):
      if case .servers(_, let endpoints) = message { self.endpoints = endpoints }
      if let peer = peers[node] { send(message, to: peer, on: loop) }
    case .record(let record):
      do {
        try keeper?.record(record)
      } catch {
        fail(error, on: loop)
      }
    case .report(let event): keeper?.report(event)
    case .saveBest(let epoch, let version): save(epoch: epoch, version: version, on: loop)
    case .finish(let result): finish(result, on: loop)
    }
  }

  private func send(
    _ message: CoordinatorMessage, to peer: PeerID, on loop: NetworkLoop<Never>
  ) {
    do {
      try loop.send(message.encoded(), to: peer)
    } catch {
      // A node that is gone is noticed by its silence.
      logger.warning("could not send: \(error)")
    }
  }

  // MARK: Best model

  private func save(epoch: UInt32, version: UInt64, on loop: NetworkLoop<Never>) {
    guard let keeper else { return }
    do {
      let writer = try BestModelWriter(
        run: keeper.directory.path, model: setup.model, epoch: epoch, version: version)
      let routing = TableRouting(tables: setup.model.tables, serverCount: endpoints.count)
      saving = (writer, writer.reading(routing: routing, generation: plan.generation))
      if servers.isEmpty {
        try connectServers(on: loop)
        let hello = DataHello(
          runID: plan.runID, generation: plan.generation, sender: "coordinator")
        converse(
          conversation.greet(hello, serverCount: servers.count, at: now), on: loop)
      } else {
        read(.begin, on: loop)
      }
    } catch {
      endSaving(error, on: loop)
    }
  }

  private func connectServers(on loop: NetworkLoop<Never>) throws {
    for endpoint in endpoints {
      let peer = try loop.connectDealer(endpoint)
      serverIndex[peer] = servers.count
      servers.append(peer)
    }
  }

  private func read(_ input: WorkInput, on loop: NetworkLoop<Never>) {
    guard let saving else { return }
    do {
      let output = try saving.reading.advance(input)
      converse(conversation.perform(output, at: now), on: loop)
    } catch {
      endSaving(error, on: loop)
    }
  }

  private func converse(_ actions: [ServerConversation.Action], on loop: NetworkLoop<Never>) {
    for action in actions {
      switch action {
      case .request(let request, let server):
        do {
          try loop.send(request.encoded(), to: servers[server])
        } catch {
          logger.warning("could not ask server \(server): \(error)")
        }
      case .greeted: read(.begin, on: loop)
      case .advance(let input): read(input, on: loop)
      case .done:
        do {
          try saving?.writer.finish()
          endSaving(nil, on: loop)
        } catch {
          endSaving(error, on: loop)
        }
      case .refused(let failure):
        endSaving(RuntimeError(exitCode: .failure, message: failure.message), on: loop)
      case .lost(let message):
        endSaving(RuntimeError(exitCode: .transient, message: message), on: loop)
      }
    }
  }

  private func endSaving(_ error: (any Error)?, on loop: NetworkLoop<Never>) {
    saving = nil
    conversation.abandon()
    handle(error.map { .bestSaveFailed("\($0)") } ?? .bestSaved, on: loop)
  }

  // MARK: End

  private func finish(_ result: RunOutcome, on loop: NetworkLoop<Never>) {
    do {
      try keeper?.finish()
      outcome.set(
        RoleOutcome(
          exitCode: ExitCode(result, stopSignal: stopSignal), message: result.summary))
    } catch {
      outcome.set(RoleOutcome(exitCode: .inputOutput, message: "\(error)"))
    }
    loop.stop()
  }

  /// The run's records cannot be written: going on would lose what people rely on.
  private func fail(_ error: any Error, on loop: NetworkLoop<Never>) {
    hasFailed = true
    outcome.set(RoleOutcome(exitCode: .inputOutput, message: "\(error)"))
    for peer in peers.values {
      send(
        .finish(
          reason: "the coordinator cannot write its records", ending: .permanentFailure),
        to: peer, on: loop)
    }
    loop.stop()
  }
}
