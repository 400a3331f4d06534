internal import Messages

extension WorkerSession {
  /// Takes in an event and says what to do.
  ///
  /// - Parameter now: seconds on a clock that never goes back.
  public mutating func handle(_ event: WorkerEvent, at now: Double) -> [WorkerAction] {
    guard phase != .left else { return [] }
    switch event {
    case .coordinator(let message):
      lastHeardAt = now
      return handle(message, at: now)
    case .reply(let reply, let server):
      return handle(reply, from: server, at: now)
    case .setUp:
      isSetUp = true
      return meetServers(at: now)
    case .setUpFailed(let message):
      return [.tell(.goodbye(reason: message)), leave(.permanent(message))]
    case .advanced(let task, let output):
      guard phase == .working(task: task) else { return [] }
      return perform(output, task: task, at: now)
    case .taskFailed(let task, let message):
      guard phase == .working(task: task) else { return [] }
      return fail(task, message)
    case .stopRequested:
      return [.tell(.goodbye(reason: "asked to stop")), leave(.finished("asked to stop"))]
    case .tick:
      return tick(at: now)
    }
  }

  private mutating func leave(_ departure: WorkerDeparture) -> WorkerAction {
    phase = .left
    outstanding.removeAll()
    return .leave(departure)
  }

  private mutating func fail(_ task: UInt64, _ message: String) -> [WorkerAction] {
    phase = .idle
    awaited = .nothing
    outstanding.removeAll()
    unfinishedReports = nil
    return [.tell(.taskFailed(id: task, message: message))]
  }

  // MARK: Coordinator

  private mutating func handle(
    _ message: CoordinatorMessage, at now: Double
  ) -> [WorkerAction] {
    switch message {
    case .welcome(let welcome):
      guard self.welcome == nil else { return [] }
      self.welcome = welcome
      phase = .settingUp
      return [.setUp(welcome)]
    case .servers(_, let endpoints):
      guard self.endpoints == nil else { return [] }
      self.endpoints = endpoints
      return meetServers(at: now)
    case .task(let task):
      guard phase == .idle else { return [] }
      phase = .working(task: task.id)
      return [.begin(task)]
    case .heartbeatSeen:
      return []
    case .finish(let reason):
      return [leave(.finished(reason))]
    case .refused(let refusal):
      if refusal.code == .notReady { return [] }
      return [leave(.permanent(refusal.message))]
    }
  }

  // MARK: Servers

  /// Greets the servers once the worker is set up and knows where they are.
  private mutating func meetServers(at now: Double) -> [WorkerAction] {
    guard isSetUp, let endpoints, let welcome else { return [] }
    phase = .meetingServers
    var actions: [WorkerAction] = [.connect(endpoints: endpoints)]
    for server in endpoints.indices {
      let body = DataRequestBody.hello(
        DataHello(
          runID: welcome.runID, generation: welcome.generation, sender: "worker \(welcome.rank)"))
      actions.append(send(body, to: server, at: now).action)
    }
    return actions
  }

  private mutating func send(
    _ body: DataRequestBody, to server: Int, at now: Double
  ) -> (id: UInt64, action: WorkerAction) {
    let request = DataRequest(id: nextRequestID, body: body)
    nextRequestID += 1
    outstanding[request.id] = Outstanding(server: server, request: request, sentAt: now)
    return (request.id, .request(request, server: server))
  }

  private mutating func handle(
    _ reply: DataReply, from server: Int, at now: Double
  ) -> [WorkerAction] {
    guard let entry = outstanding[reply.requestID], entry.server == server else { return [] }
    if case .refused(let refusal) = reply.body {
      // A server that is not ready is asked again by the resend timer.
      if refusal.code == .notReady { return [] }
      let message = "Server \(server) refused a request: \(refusal.message)"
      guard case .working(let task) = phase else { return [leave(.permanent(message))] }
      return fail(task, message)
    }
    outstanding[reply.requestID] = nil
    switch reply.body {
    case .welcome:
      guard phase == .meetingServers, outstanding.isEmpty else { return [] }
      phase = .idle
      return [.tell(.ready)]
    case .pulled(let pulled):
      return received(pulled, id: reply.requestID)
    case .reduced(let totals):
      return received(totals, id: reply.requestID)
    case .pushed:
      return finishIfDone()
    case .refused:
      return []
    }
  }

  private mutating func received(_ pulled: PullReply, id: UInt64) -> [WorkerAction] {
    guard case .pulls(let positions, var replies) = awaited, let position = positions[id],
      case .working(let task) = phase
    else { return [] }
    replies[position] = pulled
    let complete = replies.compactMap { $0 }
    guard complete.count == replies.count else {
      awaited = .pulls(positions, replies)
      return []
    }
    awaited = .nothing
    return [.advance(task: task, .pulled(complete))]
  }

  private mutating func received(_ totals: [Double], id: UInt64) -> [WorkerAction] {
    guard case .reduces(let positions, var replies) = awaited, let position = positions[id],
      case .working(let task) = phase
    else { return [] }
    replies[position] = totals
    let complete = replies.compactMap { $0 }
    guard complete.count == replies.count else {
      awaited = .reduces(positions, replies)
      return []
    }
    awaited = .nothing
    return [.advance(task: task, .reduced(complete))]
  }

  // MARK: Task

  private mutating func perform(
    _ output: WorkOutput, task: UInt64, at now: Double
  ) -> [WorkerAction] {
    var actions: [WorkerAction] = []
    var positions: [UInt64: Int] = [:]
    switch output {
    case .pull(let requests):
      // No server holds any of the rows: an empty answer is complete.
      if requests.isEmpty { return [.advance(task: task, .pulled([]))] }
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
      actions.append(.advance(task: task, .sent))
    case .done(let reports):
      unfinishedReports = reports
      return finishIfDone()
    }
    return actions
  }

  /// A task is done when its computation is and every push was acknowledged.
  private mutating func finishIfDone() -> [WorkerAction] {
    guard case .working(let task) = phase, let reports = unfinishedReports, outstanding.isEmpty
    else { return [] }
    unfinishedReports = nil
    phase = .idle
    return [.tell(.taskDone(id: task, reports: reports))]
  }

  // MARK: Time

  private mutating func tick(at now: Double) -> [WorkerAction] {
    if phase == .joining {
      if now - startedAt > limits.joinTimeout {
        return [
          leave(
            .transient(
              "Cannot join a run: the coordinator did not answer for "
                + "\(Int(limits.joinTimeout)) s. Check its address and that it runs."))
        ]
      }
      guard now - lastHelloAt >= limits.joinInterval else { return [] }
      lastHelloAt = now
      return [.tell(.hello(hello))]
    }
    if now - lastHeardAt > limits.coordinatorTimeout {
      return [
        leave(
          .transient(
            "Lost the coordinator: nothing heard for \(Int(limits.coordinatorTimeout)) s."))
      ]
    }
    var actions: [WorkerAction] = []
    if let interval = welcome?.heartbeatInterval, now - lastBeatAt >= interval {
      lastBeatAt = now
      actions.append(.beat)
    }
    return actions + resend(at: now)
  }

  private mutating func resend(at now: Double) -> [WorkerAction] {
    var actions: [WorkerAction] = []
    for id in outstanding.keys.sorted() {
      guard var entry = outstanding[id] else { continue }
      let wait = limits.resendInterval * Double(1 << min(entry.attempts - 1, 6))
      guard now - entry.sentAt >= wait else { continue }
      if entry.attempts >= limits.maximumAttempts {
        return [
          leave(
            .transient(
              "Lost server \(entry.server): \(entry.attempts) requests went unanswered."))
        ]
      }
      entry.attempts += 1
      entry.sentAt = now
      outstanding[id] = entry
      actions.append(.request(entry.request, server: entry.server))
    }
    return actions
  }
}
