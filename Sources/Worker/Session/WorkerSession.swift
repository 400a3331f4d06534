import Protocol

/// A worker as a state machine: it joins the run, sets itself up, greets the servers, and carries
/// out tasks. Its driver owns sockets, clock and computation.
///
/// A welcome of a higher generation makes it set up again, in any phase; the driver keeps what is
/// the same for the whole run (data, model). A lost server does not make it leave: it retries, or
/// waits for the coordinator. If only this worker cannot reach a server, it steps down: it drops
/// its shards, so that other workers take them over, and is ready again when all servers have
/// welcomed it. It leaves when the coordinator is silent for too long, or a computation hangs: a
/// new process may do better.
package struct WorkerSession: Sendable {
  enum Phase: Sendable, Equatable {
    case joining
    case settingUp
    case meetingServers
    case idle
    case working(task: UInt64)
    /// A server is in another generation; the coordinator's next message decides what to do.
    case waiting
    case left
  }

  private var membership: NodeMembership
  private var conversation: ServerConversation
  private var phase = Phase.joining
  /// Whether data and model are set up for the current generation.
  private var isSetUp = false
  /// The servers of the current generation.
  private var endpoints: [String]?
  /// The highest id of the tasks that were begun; tasks with lower ids were replaced.
  private var newestTask: UInt64 = 0
  /// The report of the last task, to be repeated if the coordinator did not receive it.
  private var lastAnswer: (task: UInt64, message: NodeMessage)?
  /// Why it has stepped down; nil if it has not.
  private var obstacle: String?
  private var timeouts = WorkerTimeouts()
  private var computation = ComputationWatch()

  package init(
    hello: NodeHello, limits: NodeMembership.Limits = .init(),
    conversation: ServerConversation.Limits = .init(), at now: Double
  ) {
    membership = NodeMembership(hello: hello, limits: limits, at: now)
    self.conversation = ServerConversation(limits: conversation)
  }

  /// Counts of the exchange with the servers.
  package var statistics: ConversationStatistics { conversation.statistics }

  /// Requests without a reply.
  package var outstandingCount: Int { conversation.outstandingCount }

  /// Whether it is a member that computes, or waits for a task.
  package var isReady: Bool {
    switch phase {
    case .idle, .working: true
    case .joining, .settingUp, .meetingServers, .waiting, .left: false
    }
  }

  /// What it is doing, in a few words.
  package var activity: String {
    switch phase {
    case .joining: "joining the run"
    case .settingUp: "loading the data"
    case .meetingServers: "connecting to the servers"
    case .idle: "without a task"
    case .working: "computing"
    case .waiting: "waiting for the coordinator"
    case .left: "leaving"
    }
  }

  /// The last welcome: rank, run and generation; nil before the first.
  package var welcome: Welcome? { membership.welcome }

  /// Handles an event.
  ///
  /// - Parameter now: seconds on a monotonic clock.
  /// - Returns: what the driver has to do, in order.
  package mutating func handle(_ event: WorkerEvent, at now: Double) -> [WorkerAction] {
    guard phase != .left else { return [] }
    switch event {
    case .coordinator(let envelope):
      return membership.handle(envelope, at: now).flatMap { execute($0, at: now) }
    case .reply(let reply, let server):
      return conversation.handle(reply, from: server, at: now).flatMap { execute($0, at: now) }
    case .setUp(let generation, let timeouts):
      guard phase == .settingUp, generation == membership.welcome?.generation else { return [] }
      isSetUp = true
      self.timeouts = timeouts
      conversation.silenceTimeout = Self.silences * timeouts.node
      return meetServers(at: now)
    case .setUpFailed(let generation, let message, let isTransient):
      guard phase == .settingUp, generation == membership.welcome?.generation else { return [] }
      return [
        .send(.goodbye(reason: message)),
        leave(isTransient ? .transient(message) : .permanent(message)),
      ]
    case .advanced(let task, let output):
      guard phase == .working(task: task) else { return [] }
      computation.end()
      return conversation.perform(output, at: now).flatMap { execute($0, at: now) }
    case .taskFailed(let task, let failure):
      guard phase == .working(task: task) else { return [] }
      return [fail(task, failure)]
    case .stopRequested:
      return [.send(.goodbye(reason: "it was asked to stop")), leave(.finished("asked to stop"))]
    case .tick:
      if let departure = limitComputation(at: now) { return departure }
      let notice = membership.waitNotice(at: now).map { [WorkerAction.warn($0)] } ?? []
      let joining = notice + membership.tick(at: now).flatMap { execute($0, at: now) }
      return joining + conversation.tick(at: now).flatMap { execute($0, at: now) }
    }
  }

  // MARK: The coordinator

  private mutating func execute(_ action: NodeMembership.Action, at now: Double) -> [WorkerAction] {
    switch action {
    case .send(let message): return [.send(message)]
    case .sendHeartbeat: return [.sendHeartbeat(generation: generation, task: currentTask ?? 0)]
    case .begin(let welcome): return begin(welcome)
    case .welcomeRepeated: return repeatReady(at: now)
    case .deliver(let message): return handle(message, at: now)
    case .leave(let departure): return [leave(departure)]
    }
  }

  /// Begins a generation and drops everything of the one before.
  private mutating func begin(_ welcome: Welcome) -> [WorkerAction] {
    conversation.abandon()
    phase = .settingUp
    isSetUp = false
    endpoints = nil
    lastAnswer = nil
    obstacle = nil
    membership.holding = HeldState(generation: welcome.generation, rank: welcome.rank, version: 0)
    return [.setUp(welcome)]
  }

  private mutating func handle(_ message: CoordinatorMessage, at now: Double) -> [WorkerAction] {
    switch message {
    case .servers(let generation, let endpoints):
      guard let welcome = membership.welcome, generation == welcome.generation,
        endpoints.count == Int(welcome.serverCount)
      else { return [] }
      guard endpoints != self.endpoints else { return repeatReady(at: now) }
      self.endpoints = endpoints
      return meetServers(at: now)
    case .task(let task):
      return begin(task, at: now)
    case .welcome, .heartbeatAcknowledged, .finish, .refused, .hold, .checkpoint,
      .checkpointAcknowledged, .checkpointCommitted, .inspect:
      return []
    }
  }

  /// The coordinator has repeated a message: it does not know that the worker is ready.
  private mutating func repeatReady(at now: Double) -> [WorkerAction] {
    switch phase {
    case .idle, .working: [.send(.ready(generation: generation))]
    case .waiting: meetServers(at: now)
    case .joining, .settingUp, .meetingServers, .left: []
    }
  }

  /// Greets the servers once the worker is set up and knows their addresses.
  private mutating func meetServers(at now: Double) -> [WorkerAction] {
    guard isSetUp, let endpoints, let welcome = membership.welcome else { return [] }
    phase = .meetingServers
    let hello = DataHello(
      runID: welcome.runID, generation: welcome.generation, sender: "worker \(welcome.rank)")
    let greetings = conversation.greet(hello, serverCount: endpoints.count, at: now)
    return [.connect(endpoints: endpoints)] + greetings.flatMap { execute($0, at: now) }
  }

  /// Begins a new task, which replaces the current one. A repetition of the current task is
  /// ignored; a repetition of the last finished task is answered with its report. Tasks with lower
  /// ids are outdated repetitions.
  private mutating func begin(_ task: WorkerTask, at now: Double) -> [WorkerAction] {
    guard task.generation == generation else { return [] }
    switch phase {
    case .idle, .working, .waiting: break
    case .meetingServers: return repeatStepDown(at: now)
    case .joining, .settingUp, .left: return []
    }
    if let lastAnswer, task.id == lastAnswer.task, task.id == newestTask {
      return [.send(lastAnswer.message)]
    }
    // A task that was dropped because of a server's refusal is begun again.
    guard task.id > newestTask || (task.id == newestTask && currentTask == nil) else { return [] }
    conversation.abandon()
    newestTask = task.id
    phase = .working(task: task.id)
    computation.begin()
    return [.begin(task)]
  }

  /// Leaves if the computation hangs, so that other workers get its shards.
  private mutating func limitComputation(at now: Double) -> [WorkerAction]? {
    let seconds = computation.tick(at: now)
    guard case .working = phase, seconds > timeouts.computation else { return nil }
    let reason =
      "its computation has not finished within \(Int(timeouts.computation)) s; if it normally "
      + "takes so long, raise computation_timeout_ms"
    return [.send(.goodbye(reason: reason)), leave(.transient("Giving up: \(reason)."))]
  }

  private var generation: UInt64 { membership.welcome?.generation ?? 0 }

  private var currentTask: UInt64? {
    if case .working(let id) = phase { id } else { nil }
  }

  // MARK: The servers

  /// A worker's timeout for servers, as a multiple of the coordinator's. The coordinator detects a
  /// dead server first, so that a worker times out only if it alone cannot reach the server.
  private static let silences = 1.5

  private mutating func execute(
    _ action: ServerConversation.Action, at now: Double
  ) -> [WorkerAction] {
    switch action {
    case .request(let request, let server):
      return [.request(request, server: server)]
    case .probe(let request, let server):
      return [.probe(request, server: server)]
    case .lost(let server):
      return lose(server, at: now)
    case .greeted:
      obstacle = nil
      phase = .idle
      return [.send(.ready(generation: generation))]
    case .advance(let input):
      guard let currentTask else { return [] }
      computation.begin()
      return [.advance(task: currentTask, input)]
    case .done(let reports):
      return currentTask.map { [finish($0, .taskDone(id: $0, reports: reports))] } ?? []
    case .refused(let failure):
      if let task = currentTask { return [fail(task, failure)] }
      return [.send(.goodbye(reason: failure.message)), leave(.permanent(failure.message))]
    case .outdated:
      phase = .waiting
      return []
    }
  }

  /// Steps down, and keeps trying to reach the server on new connections.
  private mutating func lose(_ server: Int, at now: Double) -> [WorkerAction] {
    // During a rollback the coordinator will send the addresses of the servers.
    guard membership.newestGeneration <= generation, let endpoints,
      endpoints.indices.contains(server)
    else { return [] }
    let seconds = (conversation.silenceTimeout * 10).rounded() / 10
    let isNew = obstacle == nil
    let reason =
      "it cannot reach server \(server) at \(endpoints[server]): no message came from it for "
      + "\(seconds) s"
    obstacle = reason
    let greetings = meetServers(at: now)
    return greetings + (isNew ? [.warn(reason)] + stepDown(because: reason, at: now) : [])
  }

  /// Leaves and immediately rejoins, as a member that is not ready; other workers get its shards.
  private mutating func stepDown(because reason: String, at now: Double) -> [WorkerAction] {
    [.send(.goodbye(reason: reason))]
      + membership.rejoin(at: now).flatMap { execute($0, at: now) }
  }

  /// Handles a task for a worker that has stepped down: the coordinator did not receive the
  /// goodbye.
  private mutating func repeatStepDown(at now: Double) -> [WorkerAction] {
    guard let obstacle, !membership.isJoining else { return [] }
    return stepDown(because: obstacle, at: now)
  }

  private mutating func fail(_ task: UInt64, _ failure: TaskFailure) -> WorkerAction {
    conversation.abandon()
    return finish(task, .taskFailed(id: task, failure))
  }

  private mutating func finish(_ task: UInt64, _ message: NodeMessage) -> WorkerAction {
    phase = .idle
    lastAnswer = (task, message)
    return .send(message)
  }

  private mutating func leave(_ departure: Departure) -> WorkerAction {
    phase = .left
    conversation.abandon()
    return .leave(departure)
  }
}

/// An event of a worker process.
package enum WorkerEvent: Sendable {
  case coordinator(CoordinatorEnvelope)
  /// From a server of the last `connect`.
  case reply(DataReply, server: Int)
  /// Data and model are loaded; computations are for this generation from now on.
  case setUp(generation: UInt64, WorkerTimeouts = WorkerTimeouts())
  /// `isTransient`: a retry can succeed.
  case setUpFailed(generation: UInt64, String, isTransient: Bool = false)
  /// The computation of a task went as far as it can.
  case advanced(task: UInt64, WorkOutput)
  case taskFailed(task: UInt64, TaskFailure)
  /// The process was asked to end by a signal.
  case stopRequested
  case tick
}

/// What the driver of a worker process has to do.
package enum WorkerAction: Sendable {
  /// Send a message to the coordinator.
  case send(NodeMessage)
  /// Send a heartbeat with the process's use of resources, its generation, and its current task, 0
  /// for none.
  case sendHeartbeat(generation: UInt64, task: UInt64)
  /// Load the data and build the model of this run, then report `setUp`. Comes for every
  /// generation; within a run only the number of servers can change.
  case setUp(Welcome)
  /// Connect to the servers, in rank order, and close all earlier connections.
  case connect(endpoints: [String])
  case request(DataRequest, server: Int)
  /// Send it to a server on a separate connection without large messages. The answer is a `reply`
  /// of the server.
  case probe(DataRequest, server: Int)
  /// Log a warning.
  case warn(String)
  /// Begin to compute a task, which replaces the current one, then report `advanced`.
  case begin(WorkerTask)
  /// Give the task the input that it waited for, then report `advanced`.
  case advance(task: UInt64, WorkInput)
  case leave(Departure)
}
