import Protocol

/// The exchange of a task's requests and replies with the servers, as a state machine.
///
/// Every request keeps its id until it is answered, and is sent again when a reply is late. Servers
/// count a contribution once, so repeated pushes are harmless. A pull is held until every push is
/// acknowledged: it can then confirm the pushed shards (``PullRequest/confirmed``). The only server
/// of a run sees for itself whether it has them, and gets the pull with the pushes. It answers when
/// it has them, so that in both cases at most the requests of two versions are kept.
package struct ServerConversation: Sendable {
  package struct Limits: Sendable {
    /// The time after which an unanswered request is sent again, seconds. Doubles with every
    /// attempt.
    package var resendInterval: Double = 2
    /// The longest retry interval, seconds.
    package var longestInterval: Double = 16

    package init() {}
  }

  package enum Action: Sendable {
    case request(DataRequest, server: Int)
    /// To be sent on a separate connection without large messages.
    case probe(DataRequest, server: Int)
    /// A server owes a reply and was silent for too long.
    case lost(server: Int)
    /// Every server has sent its welcome.
    case greeted
    /// The task has the input that it waited for.
    case advance(WorkInput)
    /// The task is computed and every push was acknowledged.
    case done([UnitReport])
    /// A server refused a request: the task failed.
    case refused(TaskFailure)
    /// The server is in a different generation or run; the coordinator's update has not arrived
    /// yet. All requests were dropped.
    case outdated(String)
  }

  /// What the task waits for. Replies are kept in the order of the requests.
  private enum Awaited: Sendable {
    case nothing
    case welcomes
    case pulls([UInt64: Int], [PullReply?])
    case reduces([UInt64: Int], [ReduceReply?])
  }

  private let limits: Limits
  private var awaited = Awaited.nothing
  private var outstanding = OutstandingRequests()
  /// A pull that is sent when every push is acknowledged.
  private var heldPull: [ServerRequest<PullRequest>]?
  private var reports: [UnitReport]?
  /// The hello that was sent to the servers.
  private var hello: DataHello?
  private var greetedAt: [Int: Double] = [:]
  private var watch = ServerWatch()
  /// Counts of requests and replies.
  package private(set) var statistics = ConversationStatistics()

  package init(limits: Limits = Limits()) { self.limits = limits }

  /// How long a server that owes a reply may be silent, seconds; infinite unless set. A server that
  /// answers probes is not silent.
  package var silenceTimeout: Double {
    get { watch.timeout }
    set { watch.timeout = newValue }
  }

  /// The number of unanswered requests.
  package var outstandingCount: Int { outstanding.count }

  /// Sends a hello to every server; ends with `greeted`. Earlier requests are dropped.
  package mutating func greet(
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

  /// Sends the requests of a task, or records its reports.
  package mutating func perform(_ output: WorkOutput, at now: Double) -> [Action] {
    switch output {
    case .pull(let requests):
      heldPull = requests
      return sendHeldPull(at: now)
    case .reduce(let requests):
      let sent = requests.map { send(.reduce($0.body), to: $0.server, at: now) }
      awaited = .reduces(positions(sent.map(\.id)), requests.map { _ in nil })
      return sent.map(\.action)
    case .push(let requests):
      return sendPushes(requests, at: now) + [.advance(.sent)]
    case .pushAndPull(let pushes, let pulls, let isHeld):
      let sent = sendPushes(pushes, at: now)
      guard isHeld else { return sent + sendPulls(pulls, at: now) }
      heldPull = pulls
      return sent + sendHeldPull(at: now)
    case .done(let reports):
      self.reports = reports
      return finishIfDone()
    }
  }

  private mutating func sendHeldPull(at now: Double) -> [Action] {
    guard let requests = heldPull, !outstanding.hasPushes else { return [] }
    heldPull = nil
    return sendPulls(requests, at: now)
  }

  private mutating func sendPushes(
    _ requests: [ServerRequest<PushRequest>], at now: Double
  ) -> [Action] {
    statistics.note(requests)
    return requests.map { send(.push($0.body), to: $0.server, at: now).action }
  }

  private mutating func sendPulls(
    _ requests: [ServerRequest<PullRequest>], at now: Double
  ) -> [Action] {
    let sent = requests.map { send(.pull($0.body), to: $0.server, at: now) }
    awaited = .pulls(positions(sent.map(\.id)), requests.map { _ in nil })
    return sent.map(\.action)
  }

  private func positions(_ ids: [UInt64]) -> [UInt64: Int] {
    Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
  }

  /// Handles a reply. One without a matching request (a second reply to a repeated request) is
  /// ignored. So is one that does not fit its request, which is later sent again.
  package mutating func handle(
    _ reply: DataReply, from server: Int, at now: Double
  ) -> [Action] {
    watch.note(server, at: now)
    if watch.takeAnswer(reply.requestID, of: server) {
      return handleProbeReply(reply.body, of: server)
    }
    guard let entry = outstanding.entry(reply.requestID, of: server) else { return [] }
    statistics.note(reply.body, to: entry.request.body, after: now - entry.firstSentAt)
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
    case (.reduce, .reduced(let sums)):
      outstanding.remove(reply.requestID)
      guard case .reduces(let positions, var answers) = awaited,
        let position = positions[reply.requestID]
      else { return [] }
      answers[position] = sums
      awaited = .reduces(positions, answers)
      return completed(answers).map { [.advance(.reduced($0))] } ?? []
    case (.push, .pushed):
      outstanding.remove(reply.requestID)
      return sendHeldPull(at: now) + finishIfDone()
    default:
      return []
    }
  }

  /// The reply to a probe shows that the server can be reached; it needs no action unless the
  /// server is in another generation or run.
  private mutating func handleProbeReply(_ body: DataReplyBody, of server: Int) -> [Action] {
    guard case .refused(let refusal) = body, Self.isOutdated(refusal) else { return [] }
    return abandon(refusedBy: server, refusal)
  }

  /// Whether a refusal means that the server is in another generation or run.
  private static func isOutdated(_ refusal: Refusal) -> Bool {
    switch refusal.code {
    case .staleGeneration, .wrongRun, .protocolVersion: true
    case .malformed, .notReady, .clusterFull, .limit, .diverged, .helloNeeded,
      .versionSuperseded:
      false
    }
  }

  private mutating func abandon(refusedBy server: Int, _ refusal: Refusal) -> [Action] {
    abandon()
    return [
      .outdated("Server \(server) is in another generation or run: \(refusal.message)")
    ]
  }

  private mutating func welcomed(by server: Int, at now: Double) -> [Action] {
    // Requests that wait for this welcome were refused because the server had forgotten the worker.
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
      outstanding.resetBackOff(entry.request.id, at: now)
      return []
    case (.helloNeeded, _):
      return greetAgain(entry, at: now)
    case (.versionSuperseded, .pull), (.versionSuperseded, .reduce):
      outstanding.removePullsAndReduces()
      awaited = .nothing
      return [.advance(.versionSuperseded(refusal.version))]
    case _ where Self.isOutdated(refusal):
      return abandon(refusedBy: entry.server, refusal)
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

  /// Sends a hello to a server that has forgotten this worker (its connection was lost, or the peer
  /// table was full); the refused request is repeated after the welcome. A server that keeps
  /// forgetting is sent one hello per interval.
  private mutating func greetAgain(
    _ entry: OutstandingRequests.Entry, at now: Double
  ) -> [Action] {
    if outstanding.isGreeting(entry.server) {
      outstanding.awaitWelcome(entry.request.id)
      return []
    }
    guard let hello, now - (greetedAt[entry.server] ?? -.infinity) >= limits.resendInterval else {
      outstanding.resetBackOff(entry.request.id, at: now)
      return []
    }
    outstanding.awaitWelcome(entry.request.id)
    return [greet(entry.server, hello, at: now)]
  }

  /// Repeats overdue requests, and probes silent servers.
  package mutating func tick(at now: Double) -> [Action] {
    let overdue = outstanding.overdue(at: now, limits: limits)
    statistics.repeated += UInt64(overdue.count)
    return overdue.map(Self.resent) + findSilent(at: now)
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

  /// Drops the task and its requests: later replies are ignored.
  package mutating func abandon() {
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

  /// All replies in the order of their requests; nil while one is missing.
  private mutating func completed<Answer>(_ answers: [Answer?]) -> [Answer]? {
    let present = answers.compactMap { $0 }
    guard present.count == answers.count else { return nil }
    awaited = .nothing
    return present
  }

  /// Ends the task if it is computed and every push is acknowledged.
  private mutating func finishIfDone() -> [Action] {
    guard let reports, outstanding.isEmpty else { return [] }
    self.reports = nil
    return [.done(reports)]
  }
}
