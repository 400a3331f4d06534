public import Messages

/// The requests that a task has with the servers, as a value.
///
/// Every request keeps its name until it is answered and is sent again when an answer stays away;
/// servers count a contribution once, so a repeated push does no harm. At most the requests of two
/// versions are under way: servers answer a version's pull only when the pushes before it are in.
public struct ServerConversation: Sendable {
  public struct Limits: Sendable {
    /// After how long an unanswered request is sent again, seconds. Doubles with every attempt.
    public var resendInterval: Double = 10
    /// How often a request is sent before the servers count as lost.
    public var maximumAttempts = 8

    public init() {}
  }

  public enum Action: Sendable {
    case request(DataRequest, server: Int)
    /// Every server has welcomed us.
    case greeted
    /// The task has what it waited for.
    case advance(WorkInput)
    /// The task is computed and every push was acknowledged.
    case done([UnitReport])
    /// A server refused: the task cannot go on.
    case refused(TaskFailure)
    /// A server does not answer any more.
    case lost(String)
  }

  /// What the task waits for. Answers are kept in the order of the requests.
  private enum Awaited: Sendable {
    case nothing
    case welcomes
    case pulls([UInt64: Int], [PullReply?])
    case reduces([UInt64: Int], [[Double]?])
  }

  private struct Outstanding: Sendable {
    let server: Int
    let request: DataRequest
    var sentAt: Double
    var attempts = 1
  }

  private let limits: Limits
  private var awaited = Awaited.nothing
  private var outstanding: [UInt64: Outstanding] = [:]
  private var reports: [UnitReport]?
  private var nextID: UInt64 = 1
  /// What was said to greet the servers.
  private var hello: DataHello?

  public init(limits: Limits = Limits()) { self.limits = limits }

  /// Requests that no server has answered yet.
  public var outstandingCount: Int { outstanding.count }

  /// Says hello to every server; ends with `greeted`.
  public mutating func greet(
    _ hello: DataHello, serverCount: Int, at now: Double
  ) -> [Action] {
    self.hello = hello
    awaited = .welcomes
    return (0..<serverCount).map { send(.hello(hello), to: $0, at: now).action }
  }

  /// Does what a task asks for.
  public mutating func perform(_ output: WorkOutput, at now: Double) -> [Action] {
    var actions: [Action] = []
    var positions: [UInt64: Int] = [:]
    switch output {
    case .pull(let requests):
      for (position, request) in requests.enumerated() {
        let (id, action) = send(.pull(request.body), to: request.server, at: now)
        positions[id] = position
        actions.append(action)
      }
      awaited = .pulls(positions, requests.map { _ in nil })
    case .reduce(let requests):
      for (position, request) in requests.enumerated() {
        let (id, action) = send(.reduce(request), to: 0, at: now)
        positions[id] = position
        actions.append(action)
      }
      awaited = .reduces(positions, requests.map { _ in nil })
    case .push(let requests):
      for request in requests {
        actions.append(send(.push(request.body), to: request.server, at: now).action)
      }
      actions.append(.advance(.sent))
    case .done(let reports):
      self.reports = reports
      return finishIfDone()
    }
    return actions
  }

  /// Takes in an answer. One that nobody waits for (a second answer to a repeated request) is
  /// ignored.
  public mutating func handle(
    _ reply: DataReply, from server: Int, at now: Double
  ) -> [Action] {
    guard let entry = outstanding[reply.requestID], entry.server == server else { return [] }
    if case .refused(let refusal) = reply.body {
      return handle(refusal, of: entry, at: now)
    }
    outstanding[reply.requestID] = nil
    switch reply.body {
    case .welcome:
      // A server that forgot us was greeted again.
      guard case .welcomes = awaited else { return finishIfDone() }
      guard outstanding.isEmpty else { return [] }
      awaited = .nothing
      return [.greeted]
    case .pulled(let pulled):
      guard case .pulls(let positions, var answers) = awaited,
        let position = positions[reply.requestID]
      else { return [] }
      answers[position] = pulled
      awaited = .pulls(positions, answers)
      return completed(answers).map { [.advance(.pulled($0))] } ?? []
    case .reduced(let totals):
      guard case .reduces(let positions, var answers) = awaited,
        let position = positions[reply.requestID]
      else { return [] }
      answers[position] = totals
      awaited = .reduces(positions, answers)
      return completed(answers).map { [.advance(.reduced($0))] } ?? []
    case .pushed:
      return finishIfDone()
    case .refused:
      return []
    }
  }

  private mutating func handle(
    _ refusal: Refusal, of entry: Outstanding, at now: Double
  ) -> [Action] {
    switch refusal.code {
    case .notReady:
      // Asked again by the resend timer.
      return []
    case .helloNeeded:
      return greetAgain(entry, at: now)
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

  /// Says hello to a server that has forgotten us (it thought the connection lost) and repeats the
  /// request that it did not take.
  private mutating func greetAgain(_ entry: Outstanding, at now: Double) -> [Action] {
    guard let hello, entry.attempts < limits.maximumAttempts else {
      abandon()
      return [.lost(lostMessage(entry))]
    }
    var entry = entry
    entry.attempts += 1
    entry.sentAt = now
    outstanding[entry.request.id] = entry
    let isGreeting = outstanding.values.contains { other in
      if case .hello = other.request.body { other.server == entry.server } else { false }
    }
    let greeting = isGreeting ? [] : [send(.hello(hello), to: entry.server, at: now).action]
    return greeting + [.request(entry.request, server: entry.server)]
  }

  private func lostMessage(_ entry: Outstanding) -> String {
    "Lost server \(entry.server): a request went unanswered \(entry.attempts) times. Start this "
      + "process again when the server is back."
  }

  /// Sends again what was not answered in time.
  public mutating func tick(at now: Double) -> [Action] {
    var actions: [Action] = []
    for id in outstanding.keys.sorted() {
      guard var entry = outstanding[id] else { continue }
      let wait = limits.resendInterval * Double(1 << min(entry.attempts - 1, 6))
      guard now - entry.sentAt >= wait else { continue }
      if entry.attempts >= limits.maximumAttempts {
        abandon()
        return [.lost(lostMessage(entry))]
      }
      entry.attempts += 1
      entry.sentAt = now
      outstanding[id] = entry
      actions.append(.request(entry.request, server: entry.server))
    }
    return actions
  }

  /// Forgets the task: answers that still come are ignored.
  public mutating func abandon() {
    awaited = .nothing
    outstanding.removeAll()
    reports = nil
  }

  private mutating func send(
    _ body: DataRequestBody, to server: Int, at now: Double
  ) -> (id: UInt64, action: Action) {
    let request = DataRequest(id: nextID, body: body)
    nextID += 1
    outstanding[request.id] = Outstanding(server: server, request: request, sentAt: now)
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
