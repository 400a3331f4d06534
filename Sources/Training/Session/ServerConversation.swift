public import Messages

/// The requests that a task has with the servers, as a value.
///
/// Every request keeps its number until it is answered and is sent again when an answer stays away,
/// as long as there is anybody who wants it; servers count a contribution once, so a repeated push
/// does no harm. A pull leaves only when every push is acknowledged: it may then say of the shards
/// that were pushed that all servers have them (``PullRequest/confirmed``), and no more than the
/// requests of two versions are held.
public struct ServerConversation: Sendable {
  public struct Limits: Sendable {
    /// After how long an unanswered request is sent again, seconds. Doubles with every attempt.
    public var resendInterval: Double = 2
    /// What the interval grows to, seconds.
    public var longestInterval: Double = 16

    public init() {}
  }

  public enum Action: Sendable {
    case request(DataRequest, server: Int)
    /// To be sent on a connection beside that of the requests, where nothing long is on its way.
    case probe(DataRequest, server: Int)
    /// A server owes an answer and was silent for too long.
    case lost(server: Int)
    /// Every server has welcomed us.
    case greeted
    /// The task has what it waited for.
    case advance(WorkInput)
    /// The task is computed and every push was acknowledged.
    case done([UnitReport])
    /// A server refused: the task cannot go on.
    case refused(TaskFailure)
    /// A server belongs to another generation (or run) than we: what the coordinator says next was
    /// not heard yet. Everything was dropped.
    case outdated(String)
  }

  /// What the task waits for. Answers are kept in the order of the requests.
  private enum Awaited: Sendable {
    case nothing
    case welcomes
    case pulls([UInt64: Int], [PullReply?])
    case reduces([UInt64: Int], [[Double]?])
  }

  private let limits: Limits
  private var awaited = Awaited.nothing
  private var outstanding = OutstandingRequests()
  /// A pull that leaves when every push is acknowledged.
  private var heldPull: [Addressed<PullRequest>]?
  private var reports: [UnitReport]?
  /// What was said to greet the servers.
  private var hello: DataHello?
  private var greetedAt: [Int: Double] = [:]
  private var watch = ServerWatch()

  public init(limits: Limits = Limits()) { self.limits = limits }

  /// For how long a server that owes an answer may be silent, seconds; infinite unless set. Work
  /// that waits for others is no silence.
  public var silenceTimeout: Double {
    get { watch.timeout }
    set { watch.timeout = newValue }
  }

  /// Requests that no server has answered yet.
  public var outstandingCount: Int { outstanding.count }

  /// Says hello to every server; ends with `greeted`. Whatever was under way is forgotten.
  public mutating func greet(
    _ hello: DataHello, serverCount: Int, at now: Double
  ) -> [Action] {
    abandon()
    watch.reset()
    self.hello = hello
    awaited = .welcomes
    return (0..<serverCount).map { greet($0, hello, at: now) }
  }

  private mutating func greet(_ server: Int, _ hello: DataHello, at now: Double) -> Action {
    greetedAt[server] = now
    return send(.hello(hello), to: server, at: now).action
  }

  /// Does what a task asks for.
  public mutating func perform(_ output: WorkOutput, at now: Double) -> [Action] {
    switch output {
    case .pull(let requests):
      heldPull = requests
      return sendHeldPull(at: now)
    case .reduce(let requests):
      let sent = requests.map { send(.reduce($0), to: 0, at: now) }
      awaited = .reduces(positions(sent.map(\.id)), requests.map { _ in nil })
      return sent.map(\.action)
    case .push(let requests):
      return requests.map { send(.push($0.body), to: $0.server, at: now).action }
        + [.advance(.sent)]
    case .done(let reports):
      self.reports = reports
      return finishIfDone()
    }
  }

  private mutating func sendHeldPull(at now: Double) -> [Action] {
    guard let requests = heldPull, !outstanding.hasPushes else { return [] }
    heldPull = nil
    let sent = requests.map { send(.pull($0.body), to: $0.server, at: now) }
    awaited = .pulls(positions(sent.map(\.id)), requests.map { _ in nil })
    return sent.map(\.action)
  }

  private func positions(_ ids: [UInt64]) -> [UInt64: Int] {
    Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
  }

  /// Takes in an answer. One that nobody waits for (a second answer to a repeated request) is
  /// ignored, and so is one that does not fit the request, which is then sent again.
  public mutating func handle(
    _ reply: DataReply, from server: Int, at now: Double
  ) -> [Action] {
    watch.note(server, at: now)
    if watch.takeAnswer(reply.requestID, of: server) { return answered(reply.body, by: server) }
    guard let entry = outstanding.entry(reply.requestID, of: server) else { return [] }
    switch (entry.request.body, reply.body) {
    case (_, .refused(let refusal)):
      return handle(refusal, of: entry, at: now)
    case (.hello, .welcome):
      outstanding.remove(reply.requestID)
      return welcomed(by: server, at: now)
    case (.pull, .pulled(let pulled)):
      outstanding.remove(reply.requestID)
      guard case .pulls(let positions, var answers) = awaited,
        let position = positions[reply.requestID]
      else { return [] }
      answers[position] = pulled
      awaited = .pulls(positions, answers)
      return completed(answers).map { [.advance(.pulled($0))] } ?? []
    case (.reduce, .reduced(let totals)):
      outstanding.remove(reply.requestID)
      guard case .reduces(let positions, var answers) = awaited,
        let position = positions[reply.requestID]
      else { return [] }
      answers[position] = totals
      awaited = .reduces(positions, answers)
      return completed(answers).map { [.advance(.reduced($0))] } ?? []
    case (.push, .pushed):
      outstanding.remove(reply.requestID)
      return sendHeldPull(at: now) + finishIfDone()
    default:
      return []
    }
  }

  /// A probe was answered: the server can be reached, and that is all unless it is not ours.
  private mutating func answered(_ body: DataReplyBody, by server: Int) -> [Action] {
    guard case .refused(let refusal) = body, Self.isForeign(refusal) else { return [] }
    return meetForeign(server, refusal)
  }

  private static func isForeign(_ refusal: Refusal) -> Bool {
    switch refusal.code {
    case .staleGeneration, .wrongRun, .protocolVersion: true
    case .malformed, .notReady, .clusterFull, .limit, .diverged, .helloNeeded, .versionGone: false
    }
  }

  private mutating func meetForeign(_ server: Int, _ refusal: Refusal) -> [Action] {
    abandon()
    return [.outdated("Server \(server) is not one of ours now: \(refusal.message)")]
  }

  private mutating func welcomed(by server: Int, at now: Double) -> [Action] {
    // A server that forgot us was greeted again.
    let repeated = outstanding.welcomed(by: server, at: now).map(Self.resent)
    guard case .welcomes = awaited else { return repeated + finishIfDone() }
    guard !outstanding.hasGreetings else { return [] }
    awaited = .nothing
    return [.greeted]
  }

  private mutating func handle(
    _ refusal: Refusal, of entry: OutstandingRequests.Entry, at now: Double
  ) -> [Action] {
    switch (refusal.code, entry.request.body) {
    case (.notReady, _), (.limit, .hello):
      outstanding.askAgain(entry.request.id, at: now)
      return []
    case (.helloNeeded, _):
      return greetAgain(entry, at: now)
    case (.versionGone, .pull), (.versionGone, .reduce):
      outstanding.removePullsAndReduces()
      awaited = .nothing
      return [.advance(.versionGone(refusal.version))]
    case _ where Self.isForeign(refusal):
      return meetForeign(entry.server, refusal)
    default:
      abandon()
      return [
        .refused(
          TaskFailure(
            refusal.code == .diverged ? .diverged : .failed,
            "Server \(entry.server) refused a request: \(refusal.message)"))
      ]
    }
  }

  /// Says hello to a server that has forgotten us (it thought the connection lost), and then
  /// repeats what it did not take. One that keeps forgetting is greeted once per interval.
  private mutating func greetAgain(
    _ entry: OutstandingRequests.Entry, at now: Double
  ) -> [Action] {
    if outstanding.isGreeting(entry.server) {
      outstanding.awaitWelcome(entry.request.id)
      return []
    }
    guard let hello, now - (greetedAt[entry.server] ?? -.infinity) >= limits.resendInterval else {
      outstanding.askAgain(entry.request.id, at: now)
      return []
    }
    outstanding.awaitWelcome(entry.request.id)
    return [greet(entry.server, hello, at: now)]
  }

  /// Sends again what was not answered in time, and looks whether the servers are there.
  public mutating func tick(at now: Double) -> [Action] {
    outstanding.overdue(at: now, limits: limits).map(Self.resent) + findSilent(at: now)
  }

  private mutating func findSilent(at now: Double) -> [Action] {
    guard silenceTimeout < .infinity, let hello else { return [] }
    let (due, lost) = watch.tick(outstanding.owedSince, at: now)
    if let lost { return [.lost(server: lost)] }
    return due.map { server in
      let probe = outstanding.number(.hello(hello))
      watch.probe(server, as: probe.id, at: now)
      return .probe(probe, server: server)
    }
  }

  private static func resent(_ entry: OutstandingRequests.Entry) -> Action {
    .request(entry.request, server: entry.server)
  }

  /// Forgets the task: answers that still come are ignored.
  public mutating func abandon() {
    awaited = .nothing
    outstanding.removeAll()
    heldPull = nil
    reports = nil
  }

  private mutating func send(
    _ body: DataRequestBody, to server: Int, at now: Double
  ) -> (id: UInt64, action: Action) {
    let request = outstanding.add(body, to: server, at: now)
    return (request.id, .request(request, server: server))
  }

  /// All answers in the order of their requests, once there; then nothing is awaited any more.
  private mutating func completed<Answer>(_ answers: [Answer?]) -> [Answer]? {
    let present = answers.compactMap { $0 }
    guard present.count == answers.count else { return nil }
    awaited = .nothing
    return present
  }

  /// A task is done when its computation is and every push was acknowledged.
  private mutating func finishIfDone() -> [Action] {
    guard let reports, outstanding.isEmpty else { return [] }
    self.reports = nil
    return [.done(reports)]
  }
}
