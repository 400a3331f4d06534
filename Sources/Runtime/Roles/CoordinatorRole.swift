import Coordination
import Foundation
import Logging
import Messages
import Models
import RunConfiguration
import Settings
import Training
import Transport

/// A coordinator process: waits for the nodes of a run, leads it to its end, and keeps its records.
public struct CoordinatorRole: Sendable {
  private let setup: RunSetup
  private let runID: String
  private let listen: String
  private let isQuiet: Bool
  private let security: Security
  private let keepsSocketFolder: Bool
  private let endpointFile: EndpointFile?
  private let announce: @Sendable (String) -> Void
  private let makeDirectory: @Sendable () throws -> RunDirectory

  /// - Parameters:
  ///   - listen: where nodes connect, such as `tcp://0.0.0.0:7000`.
  ///   - security: what protects the connections.
  ///   - keepsSocketFolder: whether the folder of the socket is the run's own, to be made again
  ///     when somebody removes it.
  ///   - endpointFile: where it says at which address it listens.
  ///   - announce: told where it listens, in a line for people.
  ///   - makeDirectory: called when the address has turned out to be usable: before that, nothing
  ///     is made that the next try would stumble over, and no old run is replaced.
  public init(
    setup: RunSetup, runID: String, listen: String, isQuiet: Bool, security: Security = .plain(),
    keepsSocketFolder: Bool = false, endpointFile: EndpointFile? = nil,
    announce: @escaping @Sendable (String) -> Void = { _ in },
    makeDirectory: @escaping @Sendable () throws -> RunDirectory
  ) {
    self.setup = setup
    self.runID = runID
    self.listen = listen
    self.isQuiet = isQuiet
    self.security = security
    self.keepsSocketFolder = keepsSocketFolder
    self.endpointFile = endpointFile
    self.announce = announce
    self.makeDirectory = makeDirectory
  }

  /// Blocks until the run has ended.
  ///
  /// - Throws: errors with a sentence when the run cannot begin.
  public func run(signals: SignalPipe) throws -> RoleOutcome {
    let cluster = setup.configuration.cluster
    try ProcessNeeds.coordinator(servers: cluster.servers, workers: cluster.workers)
      .check(.current(), for: "the coordinator")
    defer { endpointFile?.remove() }
    let outcome = OutcomeBox()
    let context = try ZeroMQContext()
    // Every socket is closed when the thread has ended: nothing is left to wait for.
    defer { try? context.terminate() }
    let watch = NetworkWatch(label: "mrdib.coordinator")
    let thread = try NetworkThread<CoordinatorNews>(
      name: "coordinator", context: context, settings: watch.settings(security)
    ) { [self] in
      CoordinatorHandler(
        setup: setup, listen: listen, keepsSocketFolder: keepsSocketFolder, signals: signals,
        outcome: outcome
      ) { [self] listener in
        let run = try RunKeeper.open(
          directory: makeDirectory(), setup: setup, runID: runID, isQuiet: isQuiet)
        try endpointFile?.write(listener.endpoint)
        announce("listening at \(listener.endpoint)")
        return run
      }
    }
    try thread.join()
    return watch.explain(outcome.value)
  }
}

/// The shell of ``CoordinatorState``. Lives on the network thread.
private final class CoordinatorHandler: NetworkHandler {
  typealias Event = CoordinatorNews

  private let setup: RunSetup
  private let listen: String
  private let keepsSocketFolder: Bool
  private let signals: SignalPipe
  private let outcome: OutcomeBox
  private let openRun:
    (NetworkLoop<Event>.Listener) throws -> (keeper: RunKeeper, state: CoordinatorState)
  private let logger = Logger(label: "mrdib.coordinator")
  private let unsaved = RateLimitedLog(label: "mrdib.coordinator")
  /// A peer that reads nothing can cause as many of these as it likes.
  private let unsent = RateLimitedLog(label: "mrdib.coordinator")
  /// There from the start on, which comes before every other event.
  private var keeper: RunKeeper?
  private var state: CoordinatorState?
  private var checkpoints: CheckpointKeeper?
  private var models: BestModelKeeper?
  /// The reading of the best model, if it is under way.
  private var saving: ModelSaving?
  /// Set when the records cannot be written: nothing is done any more.
  private var hasFailed = false
  private var listener: NetworkLoop<Event>.Listener?
  private var listenerSeenAt = 0.0
  /// Whether people were told that it cannot be made again.
  private var isListenerGivenUp = false
  private var nodes = NodeConnections<PeerID>()
  private var stopSignal: Int32 = 2
  private var memory = UnusedMemory()
  private var now: Double { MonotonicClock.seconds }

  init(
    setup: RunSetup, listen: String, keepsSocketFolder: Bool, signals: SignalPipe,
    outcome: OutcomeBox,
    openRun:
      @escaping (NetworkLoop<Event>.Listener) throws -> (
        keeper: RunKeeper, state: CoordinatorState
      )
  ) {
    self.setup = setup
    self.listen = listen
    self.keepsSocketFolder = keepsSocketFolder
    self.signals = signals
    self.outcome = outcome
    self.openRun = openRun
  }

  func started(on loop: NetworkLoop<Event>) throws {
    // A coordinator that is started again may find that it was removed.
    if keepsSocketFolder { try makeSocketFolder() }
    let listener = try loop.bindRouter(
      listen, maximumFrameBytes: WireLimits.controlFrameBytes)
    self.listener = listener
    let (keeper, state) = try openRun(listener)
    listener.endpoint.warnIfUnreachable(logger)
    let mailbox = loop.mailbox
    checkpoints = CheckpointKeeper(setup: setup, plan: keeper.plan) { outcome in
      // A loop that has ended wants no more news.
      try? mailbox.post(.checkpoints(outcome))
    }
    models = BestModelKeeper(
      run: keeper.directory.path, model: setup.model, checkPlace: keeper.watch.check
    ) { report in
      try? mailbox.post(.model(report))
    }
    keeper.watch.start { error in try? mailbox.post(.displaced(error)) }
    self.keeper = keeper
    self.state = state
    logger.info(
      "run \(keeper.plan.runID), term \(keeper.plan.term), is listening at \(listener.endpoint)")
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Event>) {
    do {
      if let saving, saving.owns(peer) {
        let reply = try DataReply(decoding: message)
        if case .pulled = reply.body { handle(.bestSaveMoved, on: loop) }
        conclude(saving.handle(reply, from: peer, at: now, on: loop), on: loop)
        return
      }
      let message = try NodeMessage(decoding: message)
      if case .hello(let hello) = message {
        nodes.add(
          hello.incarnation, speakingOn: peer, memberCount: state?.memberCount ?? 0
        ) { state?.isMember($0) ?? false }
      }
      guard let node = nodes.node(speakingOn: peer) else { return askForHello(peer, on: loop) }
      if case .hello(let hello) = message { recordKernels(of: hello) }
      handle(.message(message, from: node), on: loop)
    } catch {
      loop.recordMalformedMessage("\(error)")
      if error.code == .protocolVersion {
        send(.refused(error.refusal), to: peer, on: loop)
      }
      if let node = nodes.node(speakingOn: peer) {
        handle(.undecodable(from: node, message: "\(error)"), on: loop)
      }
    }
  }

  private func recordKernels(of hello: NodeHello) {
    do {
      try keeper?.recordKernels(of: hello)
    } catch {
      // The next record that matters says it, too.
      logger.warning("\(error)")
    }
  }

  /// A node of this run that does not know that its coordinator was started again.
  private func askForHello(_ peer: PeerID, on loop: NetworkLoop<Event>) {
    let refusal = Refusal(
      code: .helloNeeded, message: "this coordinator does not know you (any more); say hello")
    send(.refused(refusal), to: peer, on: loop)
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Event>) {
    // Silence decides: a node may come back on the same connection.
  }

  func ticked(at now: Duration, on loop: NetworkLoop<Event>) {
    if let signal = signals.next() {
      stopSignal = signal
      handle(.stopRequested(reason: signal == 2 ? "Ctrl-C" : "a request to stop"), on: loop)
    }
    handle(loop.isBehind ? .tickWhileBehind : .tick, on: loop)
    if let saving { conclude(saving.tick(at: self.now, on: loop), on: loop) }
    lookAfterSocket(on: loop)
    memory.tick(at: self.now, bytesMoved: loop.statistics.bytesMoved)
  }

  // MARK: Socket

  private func makeSocketFolder() throws {
    guard case .ipc(let path) = try Endpoint(listen).kind else { return }
    try SocketFolder.makeAgain((path as NSString).deletingLastPathComponent)
  }

  /// Nodes that are started again find the coordinator by the file of its socket. Those that are
  /// connected need it no more.
  private func lookAfterSocket(on loop: NetworkLoop<Event>) {
    guard let listener, now - listenerSeenAt >= 1 else { return }
    listenerSeenAt = now
    guard !loop.isFound(listener) else { return }
    do {
      if keepsSocketFolder { try makeSocketFolder() }
      self.listener = try loop.listenAgain(insteadOf: listener)
      isListenerGivenUp = false
      logger.warning(
        "the socket at \(listen) was removed, perhaps by a cleaner of temporary files; made again")
    } catch {
      guard !isListenerGivenUp else { return }
      isListenerGivenUp = true
      let consequence = "a process that is started again cannot connect; it is tried again"
      logger.warning("the socket at \(listen) was removed, and \(consequence): \(error)")
    }
  }

  func posted(_ event: Event, on loop: NetworkLoop<Event>) {
    switch event {
    case .displaced(let error): if !hasFailed { fail(error, on: loop) }
    case .checkpoints(let outcome):
      for problem in outcome.problems { logger.warning("\(problem)") }
      handle(outcome.event, on: loop)
    case .model(let report):
      switch models?.take(report) {
      case .begun(let wanted, let writer):
        handle(.bestSaveMoved, on: loop)
        read(wanted, into: writer, on: loop)
      case .moved: handle(.bestSaveMoved, on: loop)
      case .saved: handle(.bestSaved, on: loop)
      case .failed(let message, let isTransient):
        saveFailed(message, isTransient: isTransient, on: loop)
      case nil: break
      }
    }
  }

  private func handle(_ event: CoordinatorEvent, on loop: NetworkLoop<Event>) {
    guard !hasFailed else { return }
    let actions = state?.handle(event, at: now) ?? []
    for action in actions where !hasFailed { perform(action, on: loop) }
  }

  private func perform(_ action: CoordinatorAction, on loop: NetworkLoop<Event>) {
    switch action {
    case .send(let message, let node):
      if let peer = nodes.peer(of: node) { send(message, to: peer, on: loop) }
    case .record(let record):
      do {
        try keeper?.record(record)
      } catch {
        fail(error, on: loop)
      }
    case .report(let event): keeper?.report(event)
    case .saveBest(let epoch, let version, let generation, let endpoints):
      endReading(on: loop)
      models?.begin(
        .init(epoch: epoch, version: version, generation: generation, endpoints: endpoints))
    case .cancelSave:
      endReading(on: loop)
      models?.drop()
    case .findCheckpoint: checkpoints?.find()
    case .commitCheckpoint(let commit): checkpoints?.commit(commit)
    case .discardCheckpointFiles(let shards): checkpoints?.discard(shards)
    case .finish(let result): finish(result, on: loop)
    }
  }

  private func send(
    _ message: CoordinatorMessage, to peer: PeerID, on loop: NetworkLoop<Event>
  ) {
    guard let term = keeper?.plan.term else { return }
    do {
      try loop.send(CoordinatorLetter(term: term, message: message).encoded(), to: peer)
    } catch {
      // A node that is gone is noticed by its silence.
      unsent.warning("could not send: \(error)")
    }
  }

  // MARK: Best model

  private func read(
    _ wanted: BestModelKeeper.Wanted, into writer: BestModelWriter, on loop: NetworkLoop<Event>
  ) {
    guard let keeper else { return }
    do {
      let saving = try ModelSaving(wanted, of: setup.model, into: writer, on: loop)
      self.saving = saving
      let hello = DataHello(
        runID: keeper.plan.runID, generation: wanted.generation, sender: "coordinator")
      conclude(saving.begin(hello, at: now, on: loop), on: loop)
    } catch {
      saveFailed("\(error)", isTransient: PassingShortage.caused(error), on: loop)
    }
  }

  private func saveFailed(_ message: String, isTransient: Bool, on loop: NetworkLoop<Event>) {
    if isTransient {
      unsaved.warning("the best model is not saved yet, it is tried again: \(message)")
    }
    handle(.bestSaveFailed(message, isTransient: isTransient), on: loop)
  }

  private func conclude(_ conclusion: ModelSaving.Conclusion?, on loop: NetworkLoop<Event>) {
    guard let conclusion else { return }
    endReading(on: loop)
    switch conclusion {
    case .read(let writer): models?.finish(writer)
    case .failed(let message, let isTransient):
      saveFailed(message, isTransient: isTransient, on: loop)
    }
  }

  private func endReading(on loop: NetworkLoop<Event>) {
    saving?.close(on: loop)
    saving = nil
  }

  // MARK: End

  private func finish(_ result: RunOutcome, on loop: NetworkLoop<Event>) {
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

  /// The run's records cannot be written, or are not where people find them: going on would lose
  /// what people rely on. If another coordinator has taken over, the nodes are its own.
  private func fail(_ error: any Error, on loop: NetworkLoop<Event>) {
    hasFailed = true
    let isSuperseded = (error as? CoordinationError)?.code == .superseded
    outcome.set(
      RoleOutcome(exitCode: isSuperseded ? .unavailable : .inputOutput, message: "\(error)"))
    if !isSuperseded {
      for peer in nodes.allPeers {
        send(
          .finish(
            reason: "The coordinator cannot write its records: \(error)",
            ending: .permanentFailure),
          to: peer, on: loop)
      }
    }
    loop.stop()
  }
}
