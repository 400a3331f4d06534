public import Enrollment
public import Messages

/// The worker's side of a run as a pure state machine: it joins, sets itself up, meets the servers,
/// and does the tasks that it is given. Sockets, clock and computation are its shell's.
public struct WorkerSession: Sendable {
  enum Phase: Sendable, Equatable {
    case joining
    case settingUp
    case meetingServers
    case idle
    case working(task: UInt64)
    case left
  }

  private var enrollment: Enrollment
  private var conversation: ServerConversation
  private var phase = Phase.joining
  private var isSetUp = false
  private var endpoints: [String]?
  /// How the last task ended, to be said again when the coordinator did not hear it.
  private var lastAnswer: (task: UInt64, message: NodeMessage)?

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
    case .coordinator(let message):
      let actions = enrollment.handle(message, at: now).flatMap { perform($0) }
      return actions + handle(message, at: now)
    case .reply(let reply, let server):
      return conversation.handle(reply, from: server, at: now).map { perform($0) }
    case .setUp:
      isSetUp = true
      return meetServers(at: now)
    case .setUpFailed(let message):
      return [.tell(.goodbye(reason: message)), leave(.permanent(message))]
    case .advanced(let task, let output):
      guard phase == .working(task: task) else { return [] }
      return conversation.perform(output, at: now).map { perform($0) }
    case .taskFailed(let task, let failure):
      guard phase == .working(task: task) else { return [] }
      return [fail(task, failure)]
    case .stopRequested:
      return [.tell(.goodbye(reason: "it was asked to stop")), leave(.finished("asked to stop"))]
    case .tick:
      let membership = enrollment.tick(at: now).flatMap { perform($0) }
      return membership + conversation.tick(at: now).map { perform($0) }
    }
  }

  private mutating func handle(
    _ message: CoordinatorMessage, at now: Double
  ) -> [WorkerAction] {
    switch message {
    case .servers(_, let endpoints):
      // Known already: the coordinator does not know that the worker is ready.
      guard self.endpoints == nil else { return repeatReady() }
      self.endpoints = endpoints
      return meetServers(at: now)
    case .task(let task):
      return take(task)
    case .welcome, .heartbeatSeen, .finish, .refused:
      return []
    }
  }

  /// Begins a new task. One that is under way already is ignored; one that was the last to end is
  /// answered as it was. Ids ascend, so that an older one is a stray repetition.
  private mutating func take(_ task: WorkerTask) -> [WorkerAction] {
    guard phase == .idle else { return [] }
    if let lastAnswer, task.id <= lastAnswer.task {
      return task.id == lastAnswer.task ? [.tell(lastAnswer.message)] : []
    }
    phase = .working(task: task.id)
    return [.begin(task)]
  }

  private func repeatReady() -> [WorkerAction] {
    // While it works the coordinator knows.
    phase == .idle ? [.tell(.ready)] : []
  }

  /// Greets the servers once the worker is set up and knows where they are.
  private mutating func meetServers(at now: Double) -> [WorkerAction] {
    guard isSetUp, let endpoints, let welcome = enrollment.welcome else { return [] }
    phase = .meetingServers
    let hello = DataHello(
      runID: welcome.runID, generation: welcome.generation, sender: "worker \(welcome.rank)")
    let greetings = conversation.greet(hello, serverCount: endpoints.count, at: now)
    return [.connect(endpoints: endpoints)] + greetings.map { perform($0) }
  }

  private mutating func perform(_ action: Enrollment.Action) -> [WorkerAction] {
    switch action {
    case .tell(let message): return [.tell(message)]
    case .beat: return [.beat(task: currentTask ?? 0)]
    case .begin(let welcome):
      phase = .settingUp
      return [.setUp(welcome)]
    case .welcomedAgain: return repeatReady()
    case .leave(let departure): return [leave(departure)]
    }
  }

  private var currentTask: UInt64? {
    if case .working(let id) = phase { id } else { nil }
  }

  private mutating func perform(_ action: ServerConversation.Action) -> WorkerAction {
    let task = currentTask
    switch action {
    case .request(let request, let server): return .request(request, server: server)
    case .greeted:
      phase = .idle
      return .tell(.ready)
    case .advance(let input):
      return .advance(task: task ?? 0, input)
    case .done(let reports):
      return answer(task ?? 0, .taskDone(id: task ?? 0, reports: reports))
    case .refused(let failure):
      guard let task else { return leave(.permanent(failure.message)) }
      return fail(task, failure)
    case .lost(let message): return leave(.transient(message))
    }
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
  case coordinator(CoordinatorMessage)
  case reply(DataReply, server: Int)
  /// Data and model are there.
  case setUp
  case setUpFailed(String)
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
  /// Send a heartbeat with what the process uses and the task under way, 0 for none.
  case beat(task: UInt64)
  /// Load the data and build the model of this run, then report `setUp`.
  case setUp(Welcome)
  case connect(endpoints: [String])
  case request(DataRequest, server: Int)
  /// Begin to compute a task, then report `advanced`.
  case begin(WorkerTask)
  /// Tell the task what it waited for, then report `advanced`.
  case advance(task: UInt64, WorkInput)
  case leave(Departure)
}
