import Enrollment
import Messages

extension CoordinatorState {
  /// How many nodes take part.
  public var memberCount: Int { membership.members.count }

  /// Whether a node takes part.
  public func isMember(_ node: NodeID) -> Bool { membership[node] != nil }

  mutating func handleHello(
    _ hello: NodeHello, from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    guard node == hello.incarnation else { return ignore() }
    if membership[node] != nil {
      membership.markSeen(node, at: listening.seconds)
      membership.setHolding(hello.holding, of: node)
      return welcomeAgain(node)
    }
    if let refusal = objection(to: hello) { return refuse(hello, refusal) }
    if isOfLostRecords(hello) {
      let end = end(.failed(lostRecords(hello)))
      return answering(.message(.hello(hello), from: node), within: end)
    }
    var actions: [CoordinatorAction] = []
    if let former = membership.member(named: hello.name) {
      actions = lose(former, how: "another process took its place", at: now)
      if isEnded { return answering(.message(.hello(hello), from: node), within: actions) }
    }
    guard let member = membership.join(hello, at: listening.seconds) else {
      return actions + refuse(hello, fullRefusal(for: hello))
    }
    actions.append(
      .report(.nodeJoined(role: member.role, rank: member.rank, host: hello.host)))
    return actions + admit(node, at: now)
  }

  /// Whether the node has trained in a run that was not begun by the records: then they are not
  /// those of the cluster. Its tables and a new beginning do not go together.
  private func isOfLostRecords(_ hello: NodeHello) -> Bool {
    guard !isResumed, !hasBegun, hello.runID == plan.runID, let holding = hello.holding else {
      return false
    }
    return holding.version > 0
  }

  private func lostRecords(_ hello: NodeHello) -> RunFailure {
    RunFailure(
      kind: .recordsMissing,
      message: "The run '\(plan.runID)' cannot begin: the \(hello.role) on host \(hello.host) has "
        + "tables of it of version \(hello.holding?.version ?? 0), and by the records of this "
        + "coordinator it was never begun; put the records (run.sqlite) back, or train anew with "
        + "--overwrite.")
  }

  private mutating func admit(_ node: NodeID, at now: Double) -> [CoordinatorAction] {
    guard case .forming(let forming) = phase, forming.stage != .settingUp else {
      return welcome(node)
    }
    let actions = forming.stage == .gathering ? gather(at: now) : []
    // Who is not welcome yet is told that somebody listens.
    return actions + (isSettingUp ? [] : [notReady(node)])
  }

  /// The same answers as the first time, so that a node whose messages were lost loses nothing;
  /// tasks keep their ids, which is why a node that has them already can tell.
  private func welcomeAgain(_ node: NodeID) -> [CoordinatorAction] {
    if case .forming = phase, !isSettingUp { return [notReady(node)] }
    let task = work?.outstanding[node].map { CoordinatorAction.send(.task($0.task), to: node) }
    return welcome(node) + (task.map { [$0] } ?? [])
  }

  private var isSettingUp: Bool {
    if case .forming(let forming) = phase { forming.stage == .settingUp } else { false }
  }

  /// The node learns its rank and the generation, and where the servers answer, if it is a worker
  /// and all of them do.
  func welcome(_ node: NodeID) -> [CoordinatorAction] {
    guard let member = membership[node] else { return [] }
    let welcome = Welcome(
      runID: plan.runID, generation: generation, rank: member.rank,
      configuration: plan.configuration, tables: plan.tables, seed: plan.seed,
      shardCount: plan.shardCount, stepsPerEpoch: plan.stepsPerEpoch,
      roundsPerStep: plan.roundsPerStep, serverCount: plan.serverCount,
      heartbeatInterval: plan.timing.heartbeatInterval, checkpoints: plan.checkpoints,
      restored: origin.restored)
    return [.send(.welcome(welcome), to: node)] + serversMessage(for: node)
  }

  /// Where the servers answer, if the node is a worker and all of them do.
  func serversMessage(for node: NodeID) -> [CoordinatorAction] {
    guard membership[node]?.role == .worker, membership.areServersReady else { return [] }
    return [
      .send(.servers(generation: generation, endpoints: membership.dataEndpoints), to: node)
    ]
  }

  /// A process that was given up, or that belongs to a start of the coordinator before this one,
  /// can come back.
  mutating func answer(
    _ message: NodeMessage, ofStranger node: NodeID
  ) -> [CoordinatorAction] {
    ignoredMessageCount += 1
    if case .goodbye = message { return [] }
    let refusal = Refusal(
      code: .helloNeeded,
      message: "The coordinator of run '\(plan.runID)' does not count this process among its "
        + "nodes; say hello again.")
    return [.send(.refused(refusal), to: node)]
  }

  private func notReady(_ node: NodeID) -> CoordinatorAction {
    let refusal = Refusal(
      code: .notReady,
      message: "The coordinator of run '\(plan.runID)' is finding out where to go on; ask again.")
    return .send(.refused(refusal), to: node)
  }

  /// People are told of the first refusal of a process: it may ask again every second.
  private mutating func refuse(_ hello: NodeHello, _ refusal: Refusal) -> [CoordinatorAction] {
    let answer = CoordinatorAction.send(.refused(refusal), to: hello.incarnation)
    guard refusedNodes.insert(hello.incarnation) else { return [answer] }
    return [
      answer,
      .report(.nodeRefused(role: hello.role, host: hello.host, reason: refusal.message)),
    ]
  }

  private func objection(to hello: NodeHello) -> Refusal? {
    if !hello.runID.isEmpty, hello.runID != plan.runID {
      return Refusal(
        code: .wrongRun,
        message: "This coordinator runs '\(plan.runID)', not '\(hello.runID)'; check the "
          + "coordinator's address, or start without a run id to join whatever run it has.")
    }
    if hello.role == .server, hello.dataEndpoint.isEmpty {
      return Refusal(
        code: .malformed,
        message: "The server on host \(hello.host) did not say where it answers workers; start it "
          + "with an address that workers can reach.")
    }
    if let member = membership.member(named: hello.name), hello.incarnation < member {
      return earlierRefusal(for: hello, isReplaced: membership[member]?.isReady ?? false)
    }
    if let holding = hello.holding, holding.generation > generation {
      return Refusal(
        code: .wrongRun,
        message: "This process is of generation \(holding.generation), and the records of run "
          + "'\(plan.runID)' know of \(generation) only; start it again, and look whether the "
          + "run directory was put back to an older state.")
    }
    return nil
  }

  /// Of the processes that go by a name the one that was started last counts: words of an earlier
  /// one may come late. Which one that is their clocks say, and a clock can be set back. Who has
  /// been part of the run already was replaced, if the later one has shown that it lives: its
  /// greeting may be of before its death. Who has not may be the replacement, of a process that is
  /// dead and not given up yet: it waits until then.
  private func earlierRefusal(for hello: NodeHello, isReplaced: Bool) -> Refusal {
    guard hello.holding == nil || !isReplaced else {
      return Refusal(
        code: .staleGeneration,
        message: "Another process has taken this one's place as '\(hello.name)'; end this one.")
    }
    return Refusal(
      code: .notReady,
      message: "By its clock this process was started before the one that goes by its name, "
        + "'\(hello.name)'; it is taken in when that one is given up. Compare the clocks if it was "
        + "started later, or end it.")
  }

  private func fullRefusal(for hello: NodeHello) -> Refusal {
    let (role, limit) =
      hello.role == .worker
      ? ("worker", Membership.workerLimit) : ("server", plan.serverCount)
    return Refusal(
      code: .clusterFull,
      message: "Run '\(plan.runID)' has all its \(limit) \(role)s; this one can take the place of "
        + "one that is lost.")
  }
}
