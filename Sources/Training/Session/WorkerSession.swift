public import Enrollment
public import Messages

/// The worker's side of a run as a pure state machine: it joins, sets itself up, meets the servers,
/// and does the tasks that it is given. Sockets, clock and computation are its shell's.
///
/// A welcome of a higher generation takes it back to setting up, whatever it does; what is the same
/// for the whole run (data, model) its shell keeps. Lost servers do not make it leave: it goes on
/// asking, or waits, until the coordinator has found a way. If the coordinator hears a server that
/// the worker cannot reach, it steps down: it gives its shards up, so that others go on, and is
/// ready again when all servers have welcomed it. What ends it is the coordinator's silence, and a
/// computation that does not come back: another process may do better.
public struct WorkerSession: Sendable {
  enum Phase: Sendable, Equatable {
    case joining
    case settingUp
    case meetingServers
    case idle
    case working(task: UInt64)
    /// A server turned out to be of another generation: the coordinator will say what to do.
    case waiting
    case left
  }

  private var enrollment: Enrollment
  private var conversation: ServerConversation
  private var phase = Phase.joining
  /// Of the current generation.
  private var isSetUp = false
  /// Of the current generation.
  private var endpoints: [String]?
  /// The highest id of the tasks that were begun; those below were replaced.
  private var newestTask: UInt64 = 0
  /// How the last task ended, to be said again when the coordinator did not hear it.
  private var lastAnswer: (task: UInt64, message: NodeMessage)?
  /// Why it has stepped down; nil when it is, or may become, ready.
  private var obstacle: String?
  private var timeouts = WorkerTimeouts()
  private var computation = ComputationWatch()

  public init(
    hello: NodeHello, limits: Enrollment.Limits = .init(),
    conversation: ServerConversation.Limits = .init(), at now: Double
  ) {
    enrollment = Enrollment(hello: hello, limits: limits, at: now)
    self.conversation = ServerConversation(limits: conversation)
  }

  /// Takes in an event and says what to do.
  ///
  /// - Parameter now: seconds on a clock that never goes back.
  public mutating func handle(_ event: WorkerEvent, at now: Double) -> [WorkerAction] {
    guard phase != .left else { return [] }
    switch event {
    case .coordinator(let letter):
      return enrollment.handle(letter, at: now).flatMap { perform($0, at: now) }
    case .reply(let reply, let server):
      return conversation.handle(reply, from: server, at: now).flatMap { perform($0, at: now) }
    case .setUp(let generation, let timeouts):
      guard phase == .settingUp, generation == enrollment.welcome?.generation else { return [] }
      isSetUp = true
      self.timeouts = timeouts
      conversation.silenceTimeout = Self.silences * timeouts.node
      return meetServers(at: now)
    case .setUpFailed(let generation, let message):
      guard phase == .settingUp, generation == enrollment.welcome?.generation else { return [] }
      return [.tell(.goodbye(reason: message)), leave(.permanent(message))]
    case .advanced(let task, let output):
      guard phase == .working(task: task) else { return [] }
      computation.end()
      return conversation.perform(output, at: now).flatMap { perform($0, at: now) }
    case .taskFailed(let task, let failure):
      guard phase == .working(task: task) else { return [] }
      return [fail(task, failure)]
    case .stopRequested:
      return [.tell(.goodbye(reason: "it was asked to stop")), leave(.finished("asked to stop"))]
    case .tick:
      if let departure = limitComputation(at: now) { return departure }
      let notice = enrollment.waitNotice(at: now).map { [WorkerAction.warn($0)] } ?? []
      let membership = notice + enrollment.tick(at: now).flatMap { perform($0, at: now) }
      return membership + conversation.tick(at: now).flatMap { perform($0, at: now) }
    }
  }

  // MARK: The coordinator

  private mutating func perform(_ action: Enrollment.Action, at now: Double) -> [WorkerAction] {
    switch action {
    case .tell(let message): return [.tell(message)]
    case .beat: return [.beat(generation: generation, task: currentTask ?? 0)]
    case .begin(let welcome): return begin(welcome)
    case .welcomedAgain: return repeatReady(at: now)
    case .hear(let message): return hear(message, at: now)
    case .leave(let departure): return [leave(departure)]
    }
  }

  /// Takes up a generation: nothing of the one before counts any more.
  private mutating func begin(_ welcome: Welcome) -> [WorkerAction] {
    conversation.abandon()
    phase = .settingUp
    isSetUp = false
    endpoints = nil
    lastAnswer = nil
    obstacle = nil
    enrollment.holding = Holding(generation: welcome.generation, rank: welcome.rank, version: 0)
    return [.setUp(welcome)]
  }

  private mutating func hear(_ message: CoordinatorMessage, at now: Double) -> [WorkerAction] {
    switch message {
    case .servers(let generation, let endpoints):
      guard let welcome = enrollment.welcome, generation == welcome.generation,
        endpoints.count == Int(welcome.serverCount)
      else { return [] }
      guard endpoints != self.endpoints else { return repeatReady(at: now) }
      self.endpoints = endpoints
      return meetServers(at: now)
    case .task(let task):
      return take(task, at: now)
    case .welcome, .heartbeatSeen, .finish, .refused, .hold, .checkpoint, .checkpointSeen:
      return []
    }
  }

  /// The coordinator says again what it said before: it does not know that the worker is ready.
  private mutating func repeatReady(at now: Double) -> [WorkerAction] {
    switch phase {
    case .idle, .working: [.tell(.ready(generation: generation))]
    case .waiting: meetServers(at: now)
    case .joining, .settingUp, .meetingServers, .left: []
    }
  }

  /// Greets the servers once the worker is set up and knows where they are.
  private mutating func meetServers(at now: Double) -> [WorkerAction] {
    guard isSetUp, let endpoints, let welcome = enrollment.welcome else { return [] }
    phase = .meetingServers
    let hello = DataHello(
      runID: welcome.runID, generation: welcome.generation, sender: "worker \(welcome.rank)")
    let greetings = conversation.greet(hello, serverCount: endpoints.count, at: now)
    return [.connect(endpoints: endpoints)] + greetings.flatMap { perform($0, at: now) }
  }

  /// Begins a new task, in place of the one under way if there is one. The one under way is ignored
  /// when it comes again; the last to end is answered as it was. Ids ascend, so that an older one
  /// is a stray repetition.
  private mutating func take(_ task: WorkerTask, at now: Double) -> [WorkerAction] {
    guard task.generation == generation else { return [] }
    switch phase {
    case .idle, .working, .waiting: break
    case .meetingServers: return repeatStepDown(at: now)
    case .joining, .settingUp, .left: return []
    }
    if let lastAnswer, task.id == lastAnswer.task, task.id == newestTask {
      return [.tell(lastAnswer.message)]
    }
    // One that was dropped with a server's refusal is begun anew.
    guard task.id > newestTask || (task.id == newestTask && currentTask == nil) else { return [] }
    conversation.abandon()
    newestTask = task.id
    phase = .working(task: task.id)
    computation.begin()
    return [.begin(task)]
  }

  /// A computation that does not come back keeps its shards from everybody.
  private mutating func limitComputation(at now: Double) -> [WorkerAction]? {
    let seconds = computation.tick(at: now)
    guard case .working = phase, seconds > timeouts.computation else { return nil }
    let reason =
      "its computation has not come back for \(Int(timeouts.computation)) s; if it only takes "
      + "that long, raise computation_timeout_ms"
    return [.tell(.goodbye(reason: reason)), leave(.transient("Giving up: \(reason)."))]
  }

  private var generation: UInt64 { enrollment.welcome?.generation ?? 0 }

  private var currentTask: UInt64? {
    if case .working(let id) = phase { id } else { nil }
  }

  // MARK: The servers

  /// How often the time must pass after which the coordinator gives a node up before the worker
  /// believes that it alone cannot reach a server. A server that is dead is the coordinator's to
  /// find out.
  private static let silences = 1.5

  private mutating func perform(
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
      return [.tell(.ready(generation: generation))]
    case .advance(let input):
      guard let currentTask else { return [] }
      computation.begin()
      return [.advance(task: currentTask, input)]
    case .done(let reports):
      return currentTask.map { [answer($0, .taskDone(id: $0, reports: reports))] } ?? []
    case .refused(let failure):
      if let task = currentTask { return [fail(task, failure)] }
      return [.tell(.goodbye(reason: failure.message)), leave(.permanent(failure.message))]
    case .outdated:
      phase = .waiting
      return []
    }
  }

  /// Steps down, and goes on asking for the server on new connections.
  private mutating func lose(_ server: Int, at now: Double) -> [WorkerAction] {
    // If the coordinator knows that the tables go back, it will say where the servers are then.
    guard enrollment.newestGeneration <= generation, let endpoints,
      endpoints.indices.contains(server)
    else { return [] }
    let seconds = (conversation.silenceTimeout * 10).rounded() / 10
    let isNews = obstacle == nil
    let reason =
      "it cannot reach server \(server) at \(endpoints[server]): nothing was heard from there for "
      + "\(seconds) s"
    obstacle = reason
    let greetings = meetServers(at: now)
    return greetings + (isNews ? [.warn(reason)] + stepDown(because: reason, at: now) : [])
  }

  /// Leaves the coordinator and is one of its nodes again, in one breath: it is not ready then, and
  /// others have what it had.
  private mutating func stepDown(because reason: String, at now: Double) -> [WorkerAction] {
    [.tell(.goodbye(reason: reason))]
      + enrollment.callAgain(at: now).flatMap { perform($0, at: now) }
  }

  /// A task for a worker that has stepped down: the coordinator has not heard of that.
  private mutating func repeatStepDown(at now: Double) -> [WorkerAction] {
    guard let obstacle, !enrollment.isCalling else { return [] }
    return stepDown(because: obstacle, at: now)
  }

  private mutating func fail(_ task: UInt64, _ failure: TaskFailure) -> WorkerAction {
    conversation.abandon()
    return answer(task, .taskFailed(id: task, failure))
  }

  private mutating func answer(_ task: UInt64, _ message: NodeMessage) -> WorkerAction {
    phase = .idle
    lastAnswer = (task, message)
    return .tell(message)
  }

  private mutating func leave(_ departure: Departure) -> WorkerAction {
    phase = .left
    conversation.abandon()
    return .leave(departure)
  }
}

/// What happens to a worker.
public enum WorkerEvent: Sendable {
  case coordinator(CoordinatorLetter)
  /// From a server of the last `connect`.
  case reply(DataReply, server: Int)
  /// Data and model are there, and what is computed from now on is for this generation.
  case setUp(generation: UInt64, WorkerTimeouts = WorkerTimeouts())
  case setUpFailed(generation: UInt64, String)
  /// The computation of a task went as far as it can.
  case advanced(task: UInt64, WorkOutput)
  case taskFailed(task: UInt64, TaskFailure)
  /// A polite end was asked for (a signal).
  case stopRequested
  case tick
}

/// What a worker does about it.
public enum WorkerAction: Sendable {
  case tell(NodeMessage)
  /// Send a heartbeat with what the process uses, the generation that it belongs to, and the task
  /// under way, 0 for none.
  case beat(generation: UInt64, task: UInt64)
  /// Load the data and build the model of this run, then report `setUp`. Comes for every
  /// generation: with the same configuration only the number of servers can be another.
  case setUp(Welcome)
  /// Connect to the servers, in rank order, in place of all that were connected before.
  case connect(endpoints: [String])
  case request(DataRequest, server: Int)
  /// Send it to a server on a connection beside that of the requests, where nothing long is on its
  /// way. The answer is a `reply` of the server.
  case probe(DataRequest, server: Int)
  /// Something for the process's log.
  case warn(String)
  /// Begin to compute a task, in place of one that may be under way, then report `advanced`.
  case begin(WorkerTask)
  /// Tell the task what it waited for, then report `advanced`.
  case advance(task: UInt64, WorkInput)
  case leave(Departure)
}
