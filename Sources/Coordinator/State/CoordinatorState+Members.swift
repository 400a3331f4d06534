import Protocol

/// Joining, heartbeats, and the loss of members, in whatever phase.
extension CoordinatorState {
  // MARK: Joining

  mutating func handleHello(
    _ hello: NodeHello, from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    guard node == hello.incarnation else { return run.ignore() }
    if run.members[node] != nil {
      run.members.markSeen(node, at: listening.seconds)
      run.members.setHolding(hello.holding, of: node)
      return welcomeAgain(node)
    }
    if let objection = admission.objection(to: hello, in: run) {
      return admission.refuse(hello, objection)
    }
    if let failure = admission.lostRecords(shownBy: hello, in: run) {
      return answering(.message(.hello(hello), from: node), within: end(.failed(failure)))
    }
    var actions: [CoordinatorAction] = []
    if let former = run.members.member(named: hello.name) {
      actions = lose(former, how: "another process took its place", at: now)
      if isEnded { return answering(.message(.hello(hello), from: node), within: actions) }
    }
    guard let member = run.members.join(hello, at: listening.seconds) else {
      return actions + admission.refuse(hello, admission.fullRefusal(for: hello, in: run))
    }
    actions.append(
      .report(.nodeJoined(role: member.role, rank: member.rank, host: hello.host)))
    return actions + admit(node, at: now)
  }

  private mutating func admit(_ node: NodeID, at now: Double) -> [CoordinatorAction] {
    guard !canWelcome else { return run.welcome(node) }
    let actions = whileForming(at: now) { forming, run in
      Step(actions: forming.memberJoined(in: &run))
    }
    // A node that is not welcome yet learns that it has reached the coordinator.
    return actions + (canWelcome ? [] : [run.notReady(node)] + inspection(of: node))
  }

  /// The same answers as the first time, in case they were lost. Tasks keep their ids, so that a
  /// node that has its task already notices.
  private func welcomeAgain(_ node: NodeID) -> [CoordinatorAction] {
    guard canWelcome else { return [run.notReady(node)] + inspection(of: node) }
    let task = phase.tasks?.task(of: node).map { CoordinatorAction.send(.task($0), to: node) }
    return run.welcome(node) + (task.map { [$0] } ?? [])
  }

  /// A question to a server about its disk, if one is open. It is repeated with every sign of life.
  private func inspection(of node: NodeID) -> [CoordinatorAction] {
    if case .forming(let forming) = phase { forming.inspection(of: node, in: run) } else { [] }
  }

  /// Whether it is known what the generation begins with.
  private var canWelcome: Bool {
    if case .forming(let forming) = phase { forming.isSettingUp } else { true }
  }

  mutating func handleReady(
    _ node: NodeID, generation: UInt64, at now: Double
  ) -> [CoordinatorAction] {
    guard generation == run.generation, let member = run.members[node], !member.isReady else {
      return run.ignore()
    }
    switch phase {
    case .forming:
      return whileForming(at: now) { forming, run in
        forming.memberReady(node, member.role, in: &run, at: now)
      }
    case .ended: return run.ignore()
    case .training, .evaluating, .saving, .draining:
      run.members.markReady(node)
      return phase.tasks?.handOut(favoring: node, in: &run, at: now) ?? []
    }
  }

  // MARK: Heartbeats

  mutating func handleHeartbeat(
    _ heartbeat: Heartbeat, from node: NodeID
  ) -> [CoordinatorAction] {
    guard let member = run.members[node] else { return run.ignore() }
    let answer =
      [.send(.heartbeatAcknowledged(generation: generation), to: node)]
      + repeatLost(heartbeat, from: node, member)
    run.members.setUsage(MemberStatus.Usage(heartbeat), of: node)
    let before = phase.progress(in: run)
    switch member.role {
    case .server where heartbeat.generation == generation && member.isReady:
      run.members.raiseVersion(to: min(heartbeat.version, plan.lastVersion), of: node)
    case .worker where heartbeat.taskID == phase.tasks?.task(of: node)?.id:
      run.members.setProgress(heartbeat.taskProgress, of: node)
    case .server, .worker: break
    }
    guard let now = phase.progress(in: run), now != before else { return answer }
    return answer + [
      .report(.progress(now.activity, epoch: run.epoch, done: now.done, total: now.total))
    ]
  }

  /// Sends again what the node should know and, by its heartbeat, does not.
  private mutating func repeatLost(
    _ heartbeat: Heartbeat, from node: NodeID, _ member: Members.Member
  ) -> [CoordinatorAction] {
    guard member.isReady else { return repeatSetUp(of: node, member, heartbeat.generation) }
    if member.role == .server { return stop?.missingMessage(to: node, in: run) ?? [] }
    let given = phase.tasks?.task(of: node)
    let missed = given?.id == heartbeat.taskID ? nil : given
    // The first heartbeat after a task was sent may have been sent before the task arrived.
    let isLost = run.members.note(missedTask: missed?.id ?? 0, of: node)
    if isLost, let missed { return [.send(.task(missed), to: node)] }
    return []
  }

  /// For a node that sends heartbeats and is not ready. A server is ready when it has its tables, a
  /// worker when it has reached the servers.
  private func repeatSetUp(
    of node: NodeID, _ member: Members.Member, _ knownGeneration: UInt64
  ) -> [CoordinatorAction] {
    guard canWelcome else { return inspection(of: node) }
    let isWaiting =
      knownGeneration == generation && member.role == .worker && !run.members.areServersReady
    return isWaiting ? [] : run.welcome(node)
  }

  // MARK: Losses

  /// A node does not take part any more. Its tasks go to others; a server's tables are lost.
  mutating func lose(_ node: NodeID, how: String, at now: Double) -> [CoordinatorAction] {
    guard let member = run.members[node] else { return run.ignore() }
    run.members.remove(node, how: how)
    let news = CoordinatorAction.report(
      .nodeLost(role: member.role, rank: member.rank, host: member.hello.host, how: how))
    return [news]
      + (member.role == .server ? serverLost(at: now) : workerLost(node, at: now))
  }

  private mutating func workerLost(_ node: NodeID, at now: Double) -> [CoordinatorAction] {
    guard case .forming = phase else {
      return phase.tasks?.release(node, in: &run, at: now) ?? []
    }
    return whileForming(at: now) { forming, run in forming.workerLost(in: run, at: now) }
  }

  private mutating func serverLost(at now: Double) -> [CoordinatorAction] {
    switch phase {
    case .forming:
      whileForming(at: now) { forming, run in Step(actions: forming.serverLost(in: &run)) }
    case .training, .evaluating, .saving, .draining:
      // Without its rows there is no last checkpoint to wait for.
      if let stop { end(.interrupted(reason: stop.reason)) } else { rollBack(at: now) }
    case .ended: []
    }
  }
}
