import Coordination
import Enrollment
import Messages
import Models
import ParameterServer
import RunConfiguration
import Training
import Transport

/// A whole run in one process and on one thread: coordinator, one server and one worker are the
/// same state machines as in a cluster, joined by a queue instead of sockets.
///
/// It ends in the bits of a cluster with the same shards. It is what a cluster's cost is measured
/// against, and the place for a debugger.
public final class SingleProcessRole {
  private enum Delivery {
    case toCoordinator(NodeMessage, from: NodeID)
    case toNode(CoordinatorMessage, NodeID)
    case toServer(DataRequest)
    case toWorker(DataReply)
    case workerEvent(WorkerEvent)
  }

  private static let workerID: NodeID = 1
  private static let serverID: NodeID = 2
  /// Names of the server's two peers.
  private enum Peer: Hashable, Sendable { case worker, coordinator }

  private let setup: RunSetup
  private let plan: RunPlan
  private let keeper: RunKeeper
  private var coordinator: CoordinatorState
  private var worker: WorkerSession
  private var serverEnrollment: Enrollment
  private var server: ServerState<Peer>?
  private var engine: WorkerEngine?
  private var work: (any Work)?
  private var queue: [Delivery] = []
  private var outcome: RoleOutcome?
  private var tickedAt = -Double.infinity

  /// - Throws: errors with a sentence when the run cannot begin.
  public init(setup: RunSetup, directory: RunDirectory, runID: String, isQuiet: Bool) throws {
    self.setup = setup
    plan = setup.plan(runID: runID)
    coordinator = try CoordinatorState(plan: plan)
    keeper = try RunKeeper(
      directory: directory, setup: setup, plan: plan, standing: coordinator.standing,
      isQuiet: isQuiet)
    let options = NodeOptions(coordinator: "in this process")
    var hello = options.hello(.worker, dataEndpoint: "")
    hello.incarnation = Self.workerID
    worker = WorkerSession(hello: hello, at: MonotonicClock.seconds)
    var serverHello = options.hello(.server, dataEndpoint: "in this process")
    serverHello.incarnation = Self.serverID
    serverEnrollment = Enrollment(hello: serverHello, at: MonotonicClock.seconds)
  }

  /// Runs to the end.
  public func run(signals: any StopSignals) throws -> RoleOutcome {
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
        try enroll(serverEnrollment.tick(at: now))
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
    case .toNode(let message, Self.workerID):
      try act(worker.handle(.coordinator(message), at: now))
    case .toNode(let message, _): try enroll(serverEnrollment.handle(message, at: now))
    case .toServer(let request):
      for case .reply(let reply, _) in serve(request, for: .worker) {
        queue.append(.toWorker(reply))
      }
    case .toWorker(let reply): try act(worker.handle(.reply(reply, server: 0), at: now))
    case .workerEvent(let event): try act(worker.handle(event, at: now))
    }
  }

  // MARK: Server

  private func serve(_ request: DataRequest, for peer: Peer) -> [ServerAction<Peer>] {
    server?.handle(.request(request, from: peer)) ?? []
  }

  private func enroll(_ actions: [Enrollment.Action]) throws {
    for action in actions {
      switch action {
      case .tell(let message): queue.append(.toCoordinator(message, from: Self.serverID))
      case .beat:
        queue.append(
          .toCoordinator(
            .heartbeat(.current(taskProgress: server?.version ?? 0)), from: Self.serverID))
      case .begin(let welcome):
        server = try ServerState(welcome, configuration: setup.configuration)
        queue.append(.toCoordinator(.ready, from: Self.serverID))
      case .welcomedAgain: break  // Nothing is lost in a process.
      case .leave: break  // The coordinator's finish ends this process.
      }
    }
  }

  // MARK: Worker

  private func act(_ actions: [WorkerAction]) throws {
    for action in actions {
      switch action {
      case .tell(let message): queue.append(.toCoordinator(message, from: Self.workerID))
      case .beat(let task):
        queue.append(
          .toCoordinator(
            .heartbeat(.current(taskProgress: work?.progress ?? 0, taskID: task)),
            from: Self.workerID))
      case .setUp(let welcome):
        engine = setup.engine(
          generation: welcome.generation, serverCount: Int(welcome.serverCount))
        queue.append(.workerEvent(.setUp))
      case .connect: break
      case .request(let request, _): queue.append(.toServer(request))
      case .begin(let task):
        advance(task.id, .begin) { [self] in work = try engine?.work(for: task) }
      case .advance(let task, let input): advance(task, input) {}
      case .leave(let departure):
        if case .finished = departure { break }
        outcome = RoleOutcome(departure)
      }
    }
  }

  private func advance(_ task: UInt64, _ input: WorkInput, after prepare: () throws -> Void) {
    do {
      try prepare()
      guard let work else { throw TrainingError("No task is under way.") }
      queue.append(.workerEvent(.advanced(task: task, try work.advance(input))))
    } catch {
      work = nil
      queue.append(.workerEvent(.taskFailed(task: task, TaskFailure(describing: error))))
    }
  }

  // MARK: Coordinator

  private func lead(_ event: CoordinatorEvent) throws {
    for action in coordinator.handle(event, at: MonotonicClock.seconds) {
      switch action {
      case .send(let message, let node): queue.append(.toNode(message, node))
      case .record(let record): try keeper.record(record)
      case .report(let event): keeper.report(event)
      case .saveBest(let epoch, let version): try save(epoch: epoch, version: version)
      case .finish(let result):
        outcome = RoleOutcome(exitCode: ExitCode(result), message: result.summary)
      }
    }
  }

  private func save(epoch: UInt32, version: UInt64) throws {
    do {
      let writer = try BestModelWriter(
        run: keeper.directory.path, model: setup.model, epoch: epoch, version: version)
      let reading = writer.reading(
        routing: TableRouting(tables: setup.model.tables, serverCount: 1),
        generation: plan.generation)
      _ = ask(
        .hello(
          DataHello(
            runID: plan.runID, generation: plan.generation, sender: "coordinator")))
      var output = try reading.advance(.begin)
      while case .pull(let requests) = output {
        output = try reading.advance(.pulled(try requests.map { try pull($0.body) }))
      }
      try writer.finish()
      try lead(.bestSaved)
    } catch {
      try lead(.bestSaveFailed("\(error)"))
    }
  }

  private func pull(_ request: PullRequest) throws -> PullReply {
    switch ask(.pull(request)) {
    case .pulled(let reply): return reply
    case .refused(let refusal): throw refusal
    default: throw TrainingError("The server gave no rows.")
    }
  }

  private func ask(_ body: DataRequestBody) -> DataReplyBody? {
    for case .reply(let reply, _) in serve(DataRequest(id: 0, body: body), for: .coordinator) {
      return reply.body
    }
    return nil
  }
}
