import Configuration
import Coordinator
import Logging
import Nodes
import Protocol
import Recommenders
import Settings
import Transport

/// A coordinator process: waits for the nodes of a run, runs it to its end, and writes its records.
package struct CoordinatorRole: Sendable {
  private let setup: RunSetup
  private let runID: String?
  private let listen: String
  private let advertisedHost: String?
  private let detail: ProgressDetail
  private let security: Security
  private let keepsSocketFolder: Bool
  private let endpointFile: EndpointFile?
  private let telemetry: TelemetryBoard?
  private let observer: RunObserver
  private let announce: @Sendable (String) -> Void
  private let lostRecords: LostRecords.Choice?
  private let makeDirectory: @Sendable () throws -> RunDirectory

  /// - Parameters:
  ///   - runID: of a new run; nil: a fresh one.
  ///   - listen: where nodes connect, such as `tcp://0.0.0.0:7000`.
  ///   - advertisedHost: where nodes reach this machine, for the file with the address, if
  ///     `listen` does not name it.
  ///   - security: what protects the connections.
  ///   - keepsSocketFolder: whether the folder of the socket belongs to this run and is created
  ///     again when it was removed.
  ///   - endpointFile: receives the address at which nodes reach the process.
  ///   - telemetry: receives the counters of the process and of the run.
  ///   - observer: follows the run, for those who watch it.
  ///   - announce: receives a line for the user that names the address.
  ///   - lostRecords: what to do about copies of records that servers hold, when the run directory
  ///     has none and checkpoints are copied; nil: they are not looked for.
  ///   - makeDirectory: called once the process listens. If the address is unusable, no directory
  ///     is left behind and no old run is replaced.
  package init(
    setup: RunSetup, runID: String?, listen: String, advertisedHost: String? = nil,
    detail: ProgressDetail,
    security: Security = .plain(), keepsSocketFolder: Bool = false,
    endpointFile: EndpointFile? = nil, telemetry: TelemetryBoard? = nil,
    observer: RunObserver = RunObserver(),
    announce: @escaping @Sendable (String) -> Void = { _ in },
    lostRecords: LostRecords.Choice? = nil,
    makeDirectory: @escaping @Sendable () throws -> RunDirectory
  ) {
    self.setup = setup
    self.runID = runID
    self.listen = listen
    self.advertisedHost = advertisedHost
    self.detail = detail
    self.security = security
    self.keepsSocketFolder = keepsSocketFolder
    self.endpointFile = endpointFile
    self.telemetry = telemetry
    self.observer = observer
    self.announce = announce
    self.lostRecords = lostRecords
    self.makeDirectory = makeDirectory
  }

  /// Blocks until the run has ended.
  ///
  /// - Throws: errors with a sentence when the run cannot begin.
  package func run(signals: SignalPipe) throws -> RoleOutcome {
    let cluster = setup.configuration.cluster
    try ProcessNeeds.coordinator(servers: cluster.servers, workers: cluster.workers)
      .check(.current(), for: "the coordinator")
    defer { endpointFile?.remove() }
    let outcome = OutcomeBox()
    let context = try ZeroMQContext()
    // All sockets are closed once the thread has ended, so this does not block.
    defer { try? context.terminate() }
    let watch = NetworkWatch(label: "mrdib.coordinator")
    let found = try findRecords(context, watch, signals)
    let runID = found.runID ?? runID ?? RunIdentifier.fresh()
    let thread = try NetworkThread<CoordinatorReport>(
      name: "coordinator", context: context, settings: watch.settings(security, telemetry)
    ) { [self] in
      CoordinatorHandler(
        setup: setup, listen: listen, advertisedHost: advertisedHost,
        security: security, keepsSocketFolder: keepsSocketFolder, telemetry: telemetry,
        signals: signals, outcome: outcome
      ) { [self] listener in
        let run = try RunRecorder.open(
          directory: found.directory ?? makeDirectory(), setup: setup, runID: runID, detail: detail,
          observer: observer
        )
        // First the line: who waits for the file may look for it.
        announce("listening at \(listener.endpoint)")
        try endpointFile?.write(listener.advertised)
        ServiceManager.inherited.ready("listening at \(listener.endpoint)")
        return run
      }
    }
    try thread.join()
    observer.awaitLastReader()
    return watch.explain(outcome.value)
  }

  /// Looks for copies of the records on the disks of servers, if that is to be done.
  ///
  /// - Returns: the run directory, if it was made, and the id of the run that was found.
  private func findRecords(
    _ context: ZeroMQContext, _ watch: NetworkWatch, _ signals: SignalPipe
  ) throws -> (directory: RunDirectory?, runID: String?) {
    guard let lostRecords, setup.copiesCheckpoints else { return (nil, nil) }
    var made: RunDirectory?
    let search = RecordsSearch(
      listen: listen, advertisedHost: advertisedHost, keepsSocketFolder: keepsSocketFolder,
      folder: setup.configuration.checkpoints.folder,
      serverCount: setup.configuration.cluster.servers,
      timeout: Double(setup.configuration.cluster.startupTimeout) / 1000, signals: signals
    ) { [self] listener in
      let directory = try makeDirectory()
      made = directory
      guard !directory.hasRecords else { throw RecordsAreThere() }
      announce("listening at \(listener.endpoint), asking servers for copies of the run's records")
      try endpointFile?.write(listener.advertised)
      // Servers may be started only once this process is.
      ServiceManager.inherited.ready(
        "listening at \(listener.endpoint), asking servers for records")
    }
    do {
      let reports = try search.run(context, watch.settings(security, telemetry))
      guard let directory = made else { return (nil, nil) }
      let found = try LifeSign.inherited.giveWhile {
        try LostRecords(directory, setup: setup, security: security)
          .find(in: reports, lostRecords, runID: runID)
      }
      announce(
        found.map { "resuming run \($0) with the records that servers hold" }
          ?? "no server holds records of such a run: a new one begins")
      return (directory, found)
    } catch is RecordsAreThere {
      return (made, nil)
    }
  }

  /// Ends a search before it has begun.
  private struct RecordsAreThere: Error {}
}

/// Connects the node of a coordinator to the network. Runs on the network thread.
private final class CoordinatorHandler: NetworkHandler {
  typealias Event = CoordinatorReport
  typealias Node = CoordinatorNode<CoordinatorProcess>

  private let setup: RunSetup
  private let listen: String
  private let advertisedHost: String?
  private let security: Security
  private let keepsSocketFolder: Bool
  private let telemetry: TelemetryBoard?
  private let signals: SignalPipe
  private let outcome: OutcomeBox
  private let openRun:
    (NetworkLoop<Event>.Listener) throws -> (recorder: RunRecorder, state: CoordinatorState)
  /// Set by `started(on:)`, which is called before anything else.
  private var started: (process: CoordinatorProcess, node: Node)?
  private var socket: ListeningSocket<Event>?
  private var memory = UnusedMemory()

  init(
    setup: RunSetup, listen: String, advertisedHost: String?, security: Security,
    keepsSocketFolder: Bool, telemetry: TelemetryBoard?,
    signals: SignalPipe, outcome: OutcomeBox,
    openRun:
      @escaping (NetworkLoop<Event>.Listener) throws -> (
        recorder: RunRecorder, state: CoordinatorState
      )
  ) {
    self.setup = setup
    self.listen = listen
    self.advertisedHost = advertisedHost
    self.security = security
    self.keepsSocketFolder = keepsSocketFolder
    self.telemetry = telemetry
    self.signals = signals
    self.outcome = outcome
    self.openRun = openRun
  }

  func started(on loop: NetworkLoop<Event>) throws {
    let logs = NodeLogs(label: "mrdib.coordinator")
    let socket = try ListeningSocket(
      listen, advertisedHost: advertisedHost, maximumFrameBytes: WireLimits.controlFrameBytes,
      keepsFolder: keepsSocketFolder, label: "mrdib.coordinator", on: loop)
    self.socket = socket
    let (recorder, state) = try openRun(socket.listener)
    let endpoint = socket.listener.endpoint
    endpoint.warnIfUnreachable(logs.logger)
    let mailbox = loop.mailbox
    let files = CoordinatorFiles(recorder, setup: setup, security: security) { report in
      // Posting fails once the loop has ended; then nothing needs the result.
      try? mailbox.post(report)
    }
    let process = CoordinatorProcess(loop: loop, files: files, logs: logs, outcome: outcome)
    started = (process, Node(state, tables: setup.model.tables, in: process))
    logs.logger.info(
      "run \(recorder.plan.runID), term \(recorder.plan.term), is listening at \(endpoint)")
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Event>) {
    started?.node.received(message, from: peer)
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Event>) {
    // Only silence counts: a node may reconnect on the same connection.
  }

  func ticked(at now: Duration, on loop: NetworkLoop<Event>) {
    if let signal = signals.next() {
      started?.process.stopSignal = signal
      started?.node.stop(because: ExitCode.reason(ofSignal: signal))
    }
    started?.node.tick(isBehind: loop.isBehind)
    if let started { started.process.files.recorder.look(at: started.node.state) }
    let now = MonotonicClock.seconds
    socket?.tick(at: now, on: loop)
    memory.tick(at: now, bytesMoved: loop.statistics.bytesMoved)
    telemetry?.leave(at: now) { parts(on: loop) }
  }

  func posted(_ event: Event, on loop: NetworkLoop<Event>) { started?.node.take(event) }

  func ended(on loop: NetworkLoop<Event>) { telemetry?.leaveLast(parts(on: loop)) }

  private func parts(on loop: NetworkLoop<Event>) -> [TelemetryBoard.Part] {
    guard let (process, node) = started else { return [] }
    let snapshot = node.state.snapshot
    return [
      TelemetryBoard.Part(
        "coordinator", process.files.recorder.metrics(snapshot), TelemetryBoard.Status(snapshot)),
      .network("coordinator", loop.statistics),
    ]
  }
}

/// The environment of a coordinator process: its sockets and files.
private final class CoordinatorProcess: ZeroMQEnvironment, FileKeepingEnvironment {
  let loop: NetworkLoop<CoordinatorReport>
  let files: CoordinatorFiles
  let logs: NodeLogs
  private let outcome: OutcomeBox
  /// The signal that asked for the end; SIGINT until one has.
  var stopSignal: Int32 = 2

  init(
    loop: NetworkLoop<CoordinatorReport>, files: CoordinatorFiles, logs: NodeLogs,
    outcome: OutcomeBox
  ) {
    self.loop = loop
    self.files = files
    self.logs = logs
    self.outcome = outcome
  }

  func send(_ envelope: CoordinatorEnvelope, to peer: PeerID) { send(envelope.encoded(), to: peer) }

  func end(_ ending: CoordinatorEnding) {
    switch ending {
    case .finished(let result):
      do {
        try files.recorder.finish()
        outcome.set(
          RoleOutcome(
            exitCode: ExitCode(result, stopSignal: stopSignal), message: result.summary))
      } catch {
        outcome.set(RoleOutcome(exitCode: .inputOutput, message: "\(error)"))
      }
    case .failed(let error, let isSuperseded):
      files.recorder.noteFailure(error)
      outcome.set(
        RoleOutcome(exitCode: isSuperseded ? .unavailable : .inputOutput, message: "\(error)"))
    }
    loop.stop()
  }
}
