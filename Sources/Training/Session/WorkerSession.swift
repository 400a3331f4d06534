public import Messages

/// The worker's side of a run as a pure state machine: it joins, keeps up the conversation of the
/// current task with the servers, and reports. Sockets, clock and computation are its shell's.
///
/// Every request keeps its name until it is answered and is sent again when an answer stays away;
/// servers count a contribution once, so a repeated push does no harm.
public struct WorkerSession: Sendable {
  public struct Limits: Sendable {
    /// After how long an unanswered request is sent again, seconds. Doubles with every attempt.
    public var resendInterval: Double = 5
    /// How often a request is sent before the worker gives up.
    public var maximumAttempts = 8
    /// How long the coordinator may be silent, seconds.
    public var coordinatorTimeout: Double = 30
    /// How often to try to join, seconds.
    public var joinInterval: Double = 1
    /// How long the coordinator may take to answer the first hello, seconds.
    public var joinTimeout: Double = 120

    public init() {}
  }

  enum Phase: Sendable, Equatable {
    case joining
    case settingUp
    /// Set up; waiting to be told where the servers are, or for their welcome.
    case meetingServers
    case idle
    case working(task: UInt64)
    case left
  }

  /// What the task waits for. Replies are kept in the order of the requests.
  enum Awaited: Sendable {
    case nothing
    case pulls([UInt64: Int], [PullReply?])
    case reduces([UInt64: Int], [[Double]?])
  }

  struct Outstanding: Sendable {
    let server: Int
    let request: DataRequest
    var sentAt: Double
    var attempts = 1
  }

  let hello: NodeHello
  let limits: Limits
  var phase = Phase.joining
  var welcome: Welcome?
  var isSetUp = false
  var endpoints: [String]?
  var awaited = Awaited.nothing
  var outstanding: [UInt64: Outstanding] = [:]
  var unfinishedReports: [UnitReport]?
  var nextRequestID: UInt64 = 1
  var startedAt: Double
  var lastHelloAt = -Double.infinity
  var lastHeardAt: Double
  var lastBeatAt = -Double.infinity

  public init(hello: NodeHello, limits: Limits = Limits(), at now: Double) {
    self.hello = hello
    self.limits = limits
    startedAt = now
    lastHeardAt = now
  }

  /// Requests that no server has answered yet.
  public var outstandingCount: Int { outstanding.count }
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
  case taskFailed(task: UInt64, String)
  /// A polite end was asked for (a signal).
  case stopRequested
  case tick
}

/// What a worker does about it.
public enum WorkerAction: Sendable {
  case tell(NodeMessage)
  /// Send a heartbeat with what the process uses.
  case beat
  /// Load the data and build the model of this run, then report `setUp`.
  case setUp(Welcome)
  case connect(endpoints: [String])
  case request(DataRequest, server: Int)
  /// Begin to compute a task, then report `advanced`.
  case begin(WorkerTask)
  /// Tell the task what it waited for, then report `advanced`.
  case advance(task: UInt64, WorkInput)
  case leave(WorkerDeparture)
}

/// Why a worker leaves.
public enum WorkerDeparture: Sendable, Equatable {
  /// The run is over, or a stop was asked for.
  case finished(String)
  /// Starting again can help: a peer was lost.
  case transient(String)
  /// Starting again cannot help.
  case permanent(String)
}
