import Protocol
import Testing
import Worker

/// A worker's session with its events and actions.
struct SessionRig {
  private var session: WorkerSession

  init() {
    let hello = NodeHello(
      role: .worker, incarnation: 7, runID: "", dataEndpoint: "", host: "here", processID: 1)
    session = WorkerSession(hello: hello, at: 0)
  }

  /// A worker that has joined, greeted its server and reported that it is ready.
  static func ready(_ timeouts: WorkerTimeouts = WorkerTimeouts()) throws -> SessionRig {
    var rig = SessionRig()
    rig.handle(welcome())
    rig.handle(.setUp(generation: 1, timeouts))
    let greeting = try #require(rig.requests(servers()).first)
    try #require(rig.sent(welcomed(greeting)) == [.ready(generation: 1)])
    return rig
  }

  /// A worker with a request of task 5 that a server refused with `staleGeneration`.
  static func outdated() throws -> SessionRig {
    var rig = try ready()
    rig.handle(task(5))
    let request = try #require(rig.requests(.advanced(task: 5, .pull([pull]))).first)
    try #require(rig.handle(refused(request, .staleGeneration)).isEmpty)
    return rig
  }

  @discardableResult
  mutating func handle(_ event: WorkerEvent, at now: Double = 1) -> [WorkerAction] {
    session.handle(event, at: now)
  }

  mutating func sent(_ event: WorkerEvent, at now: Double = 1) -> [NodeMessage] {
    handle(event, at: now).compactMap { if case .send(let message) = $0 { message } else { nil } }
  }

  mutating func begun(_ event: WorkerEvent, at now: Double = 1) -> [UInt64] {
    handle(event, at: now).compactMap { if case .begin(let task) = $0 { task.id } else { nil } }
  }

  /// Generation and task of every heartbeat.
  mutating func heartbeats(_ event: WorkerEvent, at now: Double) -> [[UInt64]] {
    handle(event, at: now).compactMap {
      if case .sendHeartbeat(let generation, let task) = $0 { [generation, task] } else { nil }
    }
  }

  mutating func requests(_ event: WorkerEvent, at now: Double = 1) -> [DataRequest] {
    Self.requests(handle(event, at: now))
  }

  static func requests(_ actions: [WorkerAction]) -> [DataRequest] {
    actions.compactMap { if case .request(let request, _) = $0 { request } else { nil } }
  }

  static func leaves(_ actions: [WorkerAction]) -> Bool {
    actions.contains { if case .leave = $0 { true } else { false } }
  }

  /// The reason in the goodbye, if the worker leaves.
  static func goodbyeReason(_ actions: [WorkerAction]) -> String? {
    guard leaves(actions), case .send(.goodbye(let reason))? = actions.first else { return nil }
    return reason
  }

  // MARK: Events

  static func envelope(_ message: CoordinatorMessage, term: UInt64 = 1) -> WorkerEvent {
    .coordinator(CoordinatorEnvelope(term: term, message: message))
  }

  static func welcome(generation: UInt64 = 1, term: UInt64 = 1) -> WorkerEvent {
    envelope(
      .welcome(
        Welcome(
          runID: "run", generation: generation, rank: 3, configuration: "", tables: [], seed: 1,
          shardCount: 1, stepsPerEpoch: 1, roundsPerStep: 1, serverCount: 1, heartbeatInterval: 1)),
      term: term)
  }

  static func servers(
    generation: UInt64 = 1, host: String = "a", term: UInt64 = 1
  ) -> WorkerEvent {
    envelope(.servers(generation: generation, endpoints: ["tcp://\(host):1"]), term: term)
  }

  static func task(_ id: UInt64, generation: UInt64 = 1, term: UInt64 = 1) -> WorkerEvent {
    let body = TaskBody.rank(version: 1, epoch: 0, blocks: [0])
    return envelope(.task(WorkerTask(id: id, generation: generation, body: body)), term: term)
  }

  static let pull = ServerRequest(
    server: 0, body: PullRequest(generation: 1, version: 0, sections: [], keys: .empty))

  static let push = ServerRequest(
    server: 0,
    body: PushRequest(
      name: ContributionName(generation: 1, version: 0, shard: 0), kind: .gradient, sections: [],
      keys: .empty, values: .empty))

  static func welcomed(_ request: DataRequest) -> WorkerEvent { reply(request, .welcome) }

  static func acknowledged(_ request: DataRequest) -> WorkerEvent {
    reply(request, .pushed(.accepted))
  }

  static func pulled(_ request: DataRequest) -> WorkerEvent {
    reply(request, .pulled(PullReply(version: 0, sections: [], values: .empty)))
  }

  static func refused(
    _ request: DataRequest, _ code: Refusal.Code, version: UInt64 = 0
  ) -> WorkerEvent {
    reply(request, .refused(Refusal(code: code, message: "no", version: version)))
  }

  private static func reply(_ request: DataRequest, _ body: DataReplyBody) -> WorkerEvent {
    .reply(DataReply(requestID: request.id, body: body), server: 0)
  }
}
