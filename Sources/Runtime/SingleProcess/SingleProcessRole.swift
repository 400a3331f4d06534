import Coordination
import Enrollment
import Messages
import Models
import ParameterServer
import RunConfiguration
import Training
import Transport

/// A whole run in one process and on one thread: coordinator, one server and one worker are the
/// same state machines as in a cluster, joined by a queue instead of sockets. Only what waits for
/// disks is done beside it: tables, checkpoints and the files of the best model.
///
/// It ends in the bits of a cluster with the same shards. It is what a cluster's cost is measured
/// against, and the place for a debugger.
public final class SingleProcessRole {
  private enum Delivery: Sendable {
    case toCoordinator(NodeMessage, from: NodeID)
    case toNode(CoordinatorLetter, NodeID)
    case toServer(DataRequest)
    case toWorker(DataReply)
    case workerEvent(WorkerEvent)
    case serverEvent(ServerSessionEvent<Peer>)
    case coordinatorEvent(CoordinatorEvent)
    case modelReport(BestModelKeeper.Report)
    /// The run's paths do not lead to its files any more.
    case displaced(any Error)
  }

  private static let workerID: NodeID = 1
  private static let serverID: NodeID = 2
  /// Names of the server's two peers.
  private enum Peer: Hashable, Sendable { case worker, coordinator }

  private let setup: RunSetup
  private let keeper: RunKeeper
  private let background: ServerBackground<Peer>
  private let checkpoints: CheckpointKeeper
  private let models: BestModelKeeper
  /// What other threads have to say.
  private let inbox = Inbox<Delivery>()
  private var coordinator: CoordinatorState
  private var worker: WorkerSession
  private var server: ServerSession<Peer>
  private var engine: WorkerEngine?
  private var work: (any Work)?
  private var welcome: Welcome?
  private var queue: [Delivery] = []
  private var outcome: RoleOutcome?
  private var tickedAt = -Double.infinity

  /// - Throws: errors with a sentence when the run cannot begin.
  public init(setup: RunSetup, directory: RunDirectory, runID: String, isQuiet: Bool) throws {
    try ProcessNeeds.singleProcess.check(.current(), for: "a run in one process")
    self.setup = setup
    (keeper, coordinator) = try RunKeeper.open(
      directory: directory, setup: setup, runID: runID, isQuiet: isQuiet)
    let options = NodeOptions(coordinator: "in this process")
    var hello = options.hello(.worker, dataEndpoint: "")
    hello.incarnation = Self.workerID
    try keeper.recordKernels(of: hello)
    worker = WorkerSession(hello: hello, limits: .oneProcess, at: MonotonicClock.seconds)
    var serverHello = options.hello(.server, dataEndpoint: "in this process")
    serverHello.incarnation = Self.serverID
    server = ServerSession(hello: serverHello, limits: .oneProcess, at: MonotonicClock.seconds)
    background = ServerBackground { [inbox] in inbox.add(.serverEvent($0.event)) }
    checkpoints = CheckpointKeeper(setup: setup, plan: keeper.plan) { [inbox] in
      inbox.add(.coordinatorEvent($0.event))
    }
    models = BestModelKeeper(
      run: directory.path, model: setup.model, checkPlace: keeper.watch.check
    ) { [inbox] in
      inbox.add(.modelReport($0))
    }
    keeper.watch.start { [inbox] in inbox.add(.displaced($0)) }
  }

  /// Runs to the end.
  public func run(signals: any StopSignals) throws -> RoleOutcome {
    do {
      return try runToEnd(signals)
    } catch {
      keeper.abandon(because: error)
      throw error
    }
  }

  private func runToEnd(_ signals: any StopSignals) throws -> RoleOutcome {
    var stopSignal: Int32 = 2
    while outcome == nil {
      let now = MonotonicClock.seconds
      if now - tickedAt > 0.05 || queue.isEmpty {
        tickedAt = now
        if let signal = signals.next() {
          stopSignal = signal
          try lead(.stopRequested(reason: signal == 2 ? "Ctrl-C" : "a request to stop"))
        }
        try lead(.tick)
        try act(worker.handle(.tick, at: now))
        try serve(.tick)
        // With nothing else to do there is something to wait for.
        queue += inbox.take(waitingAtMost: queue.isEmpty ? 0.01 : 0)
      }
      // Everything that is there is taken at once; what it causes has the next turn.
      let deliveries = queue
      queue.removeAll(keepingCapacity: true)
      for delivery in deliveries where outcome == nil { try deliver(delivery) }
    }
    try keeper.finish()
    var result = outcome ?? RoleOutcome(exitCode: .software, message: "")
    if result.exitCode == .interrupted { result.exitCode = .signal(stopSignal) }
    return result
  }

  private func deliver(_ delivery: Delivery) throws {
    let now = MonotonicClock.seconds
    switch delivery {
    case .toCoordinator(let message, let node): try lead(.message(message, from: node))
    case .toNode(let letter, Self.workerID):
      try act(worker.handle(.coordinator(letter), at: now))
    case .toNode(let letter, _): try serve(.coordinator(letter))
    case .toServer(let request): try serve(.request(request, from: .worker))
    case .toWorker(let reply): try act(worker.handle(.reply(reply, server: 0), at: now))
    case .workerEvent(let event): try act(worker.handle(event, at: now))
    case .serverEvent(let event): try serve(event)
    case .coordinatorEvent(let event): try lead(event)
    case .modelReport(let report): try hear(report)
    case .displaced(let error): throw error
    }
  }

  // MARK: Server

  private func serve(_ event: ServerSessionEvent<Peer>) throws {
    for action in server.handle(event, at: MonotonicClock.seconds) {
      switch action {
      case .tell(let message): queue.append(.toCoordinator(message, from: Self.serverID))
      case .beat(let generation, let version):
        queue.append(
          .toCoordinator(
            .heartbeat(.current(generation: generation, version: version)),
            from: Self.serverID))
      case .reply(let reply, .worker): queue.append(.toWorker(reply))
      case .reply: break  // The coordinator asks and listens at once.
      case .prepare(let welcome):
        self.welcome = welcome
        background.prepare(welcome)
      case .writeCheckpoint(let snapshot):
        if let welcome { background.write(snapshot, of: welcome) }
      case .warn: break  // Between the two there is no network.
      case .leave(let departure): leave(departure)
      }
    }
  }

  /// The coordinator's finish ends this process; anything else that makes a role leave does too.
  private func leave(_ departure: Departure) {
    if case .finished = departure { return }
    outcome = outcome ?? RoleOutcome(departure)
  }

  // MARK: Worker

  private func act(_ actions: [WorkerAction]) throws {
    for action in actions {
      switch action {
      case .tell(let message): queue.append(.toCoordinator(message, from: Self.workerID))
      case .beat(let generation, let task):
        queue.append(
          .toCoordinator(
            .heartbeat(
              .current(
                generation: generation, taskProgress: task == 0 ? 0 : work?.progress ?? 0,
                taskID: task)),
            from: Self.workerID))
      case .setUp(let welcome):
        if let engine {
          engine.enter(serverCount: Int(welcome.serverCount))
        } else {
          engine = setup.engine(serverCount: Int(welcome.serverCount))
        }
        queue.append(.workerEvent(.setUp(generation: welcome.generation)))
      case .connect: break
      case .request(let request, _), .probe(let request, _): queue.append(.toServer(request))
      case .warn: break  // Between the two there is no network.
      case .begin(let task):
        advance(task.id, .begin) { [self] in work = try engine?.work(for: task) }
      case .advance(let task, let input): advance(task, input) {}
      case .leave(let departure): leave(departure)
      }
    }
  }

  private func advance(_ task: UInt64, _ input: WorkInput, after prepare: () throws -> Void) {
    do {
      try prepare()
      guard let work, let engine else { throw TrainingError("No task is under way.") }
      queue.append(.workerEvent(.advanced(task: task, try engine.advance(work, input))))
    } catch {
      work = nil
      queue.append(.workerEvent(.taskFailed(task: task, TaskFailure(describing: error))))
    }
  }

  // MARK: Coordinator

  private func lead(_ event: CoordinatorEvent) throws {
    for action in coordinator.handle(event, at: MonotonicClock.seconds) {
      switch action {
      case .send(let message, let node):
        queue.append(
          .toNode(CoordinatorLetter(term: keeper.plan.term, message: message), node))
      case .record(let record): try keeper.record(record)
      case .report(let event): keeper.report(event)
      case .saveBest(let epoch, let version, let generation, _):
        models.begin(.init(epoch: epoch, version: version, generation: generation))
      case .cancelSave: models.drop()
      case .findCheckpoint: checkpoints.find()
      case .commitCheckpoint(let commit): checkpoints.commit(commit)
      case .discardCheckpointFiles(let shards): checkpoints.discard(shards)
      case .finish(let result):
        outcome = RoleOutcome(exitCode: ExitCode(result), message: result.summary)
      }
    }
  }

  private func hear(_ report: BestModelKeeper.Report) throws {
    switch models.take(report) {
    case .begun(let wanted, let writer): try read(wanted, into: writer)
    case .moved: try lead(.bestSaveMoved)
    case .saved: try lead(.bestSaved)
    case .failed(let message, let isTransient):
      try lead(.bestSaveFailed(message, isTransient: isTransient))
    case nil: break
    }
  }

  /// The rows are read in one go: the server is here.
  private func read(_ wanted: BestModelKeeper.Wanted, into writer: BestModelWriter) throws {
    do {
      let reading = writer.reading(
        routing: TableRouting(tables: setup.model.tables, serverCount: 1),
        generation: wanted.generation)
      _ = ask(
        .hello(
          DataHello(
            runID: keeper.plan.runID, generation: wanted.generation, sender: "coordinator")))
      var output = try reading.advance(.begin)
      while case .pull(let requests) = output {
        output = try reading.advance(.pulled(try requests.map { try pull($0.body) }))
      }
    } catch {
      return try lead(
        .bestSaveFailed("\(error)", isTransient: PassingShortage.caused(error)))
    }
    models.finish(writer)
  }

  private func pull(_ request: PullRequest) throws -> PullReply {
    switch ask(.pull(request)) {
    case .pulled(let reply): return reply
    case .refused(let refusal): throw refusal
    default: throw TrainingError("The server gave no rows.")
    }
  }

  private func ask(_ body: DataRequestBody) -> DataReplyBody? {
    let request = DataRequest(id: 0, body: body)
    let event = ServerSessionEvent<Peer>.request(request, from: .coordinator)
    for case .reply(let reply, .coordinator) in server.handle(event, at: MonotonicClock.seconds) {
      return reply.body
    }
    return nil
  }
}
