import Protocol

/// Decides which nodes become members, and writes the answers to the others.
struct Admission: Sendable {
  /// Processes whose refusal was reported.
  private var reported = RecentNodes()

  /// Why a node cannot become a member, whatever the cluster lacks; nil: nothing speaks against it.
  func objection(to hello: NodeHello, in run: RunContext) -> Refusal? {
    let runID = run.plan.runID
    if !hello.runID.isEmpty, hello.runID != runID {
      return Refusal(
        code: .wrongRun,
        message: "This coordinator runs '\(runID)', not '\(hello.runID)'; check the "
          + "coordinator's address, or start without a run id to join whatever run it has.")
    }
    if hello.role == .server, hello.dataEndpoint.isEmpty {
      return Refusal(
        code: .malformed,
        message: "The server on host \(hello.host) gave no address for workers; start it "
          + "with an address that workers can reach.")
    }
    if let member = run.members.member(named: hello.name), hello.incarnation < member {
      return earlierRefusal(for: hello, isReplaced: run.members[member]?.isReady ?? false)
    }
    if let holding = hello.holding, holding.generation > run.generation {
      return Refusal(
        code: .wrongRun,
        message: "This process has generation \(holding.generation), but the records of run "
          + "'\(runID)' end at generation \(run.generation); start it again, and check whether "
          + "the run directory was restored to an older state.")
    }
    return nil
  }

  /// Two processes have one name, and the one that is no member was started first, by their clocks.
  /// Clocks can be set back, so that it may be the later one nevertheless.
  ///
  /// If it was part of the run and the member is ready, it was replaced: its hello may have been on
  /// its way since before it died. Else it may be the replacement of a member that is dead and not
  /// lost yet, and waits until that is.
  private func earlierRefusal(for hello: NodeHello, isReplaced: Bool) -> Refusal {
    guard hello.holding == nil || !isReplaced else {
      return Refusal(
        code: .staleGeneration,
        message: "Another process has taken this one's place as '\(hello.name)'; end this one.")
    }
    return Refusal(
      code: .notReady,
      message: "By its clock this process was started before the member with its name, "
        + "'\(hello.name)'; it can join when that member is lost. If it was started later, "
        + "compare the clocks of the machines; otherwise end it.")
  }

  /// The refusal when all ranks of the node's role are taken.
  func fullRefusal(for hello: NodeHello, in run: RunContext) -> Refusal {
    let (role, limit) =
      hello.role == .worker
      ? ("worker", Members.workerLimit) : ("server", run.plan.serverCount)
    return Refusal(
      code: .clusterFull,
      message: "Run '\(run.plan.runID)' has all its \(limit) \(role)s; this one can take the place "
        + "of one that is lost.")
  }

  /// Refuses a node. Only the first refusal of a process is reported: it may ask every second.
  mutating func refuse(_ hello: NodeHello, _ refusal: Refusal) -> [CoordinatorAction] {
    let answer = CoordinatorAction.send(.refused(refusal), to: hello.incarnation)
    guard reported.insert(hello.incarnation) else { return [answer] }
    return [
      answer,
      .report(.nodeRefused(role: hello.role, host: hello.host, reason: refusal.message)),
    ]
  }

  /// The node has tables of this run that were trained, and by the records the run was never begun.
  /// Then the records are not those of the cluster, and a new beginning would mix two runs.
  func lostRecords(shownBy hello: NodeHello, in run: RunContext) -> RunFailure? {
    let history = run.history
    guard !history.isResumed, !history.hasBegun, hello.runID == run.plan.runID,
      let holding = hello.holding, holding.version > 0
    else { return nil }
    return RunFailure(
      kind: .recordsMissing,
      message: "The run '\(run.plan.runID)' cannot begin: the \(hello.role) on host \(hello.host) "
        + "has tables of it at version \(holding.version), but by the records of this coordinator "
        + "it was never begun; restore the records (run.sqlite), or train from scratch with "
        + "--overwrite.")
  }
}

/// The latest few of many nodes.
private struct RecentNodes: Sendable {
  private static let limit = 1024

  private var nodes: Set<NodeID> = []
  /// The oldest first.
  private var order: [NodeID] = []

  /// - Returns: whether the node was not among them.
  mutating func insert(_ node: NodeID) -> Bool {
    guard nodes.insert(node).inserted else { return false }
    order.append(node)
    if order.count > Self.limit { nodes.remove(order.removeFirst()) }
    return true
  }
}

// MARK: Messages to members and unknown nodes

extension RunContext {
  /// A member learns its rank and the generation; a worker also where the servers answer, if all of
  /// them are ready.
  func welcome(_ node: NodeID) -> [CoordinatorAction] {
    guard let member = members[node] else { return [] }
    let welcome = Welcome(
      runID: plan.runID, generation: generation, rank: member.rank,
      configuration: plan.configuration, tables: plan.tables, seed: plan.seed,
      shardCount: plan.shardCount, stepsPerEpoch: plan.stepsPerEpoch,
      roundsPerStep: plan.roundsPerStep, serverCount: plan.serverCount,
      heartbeatInterval: plan.timing.heartbeatInterval, checkpoints: plan.checkpoints,
      restored: tables.origin.restored)
    return [.send(.welcome(welcome), to: node)] + serversMessage(for: node)
      + (member.role == .server ? serversMessagesForCopies : [])
  }

  /// Sends the servers, once all have joined, where the others answer, if they copy their files. A
  /// server may need another's file before it is ready.
  private var serversMessagesForCopies: [CoordinatorAction] {
    guard plan.checkpoints?.isCopied == true, members.servers.count == Int(plan.serverCount) else {
      return []
    }
    return members.servers.map {
      .send(.servers(generation: generation, endpoints: members.dataEndpoints), to: $0)
    }
  }

  /// Where the servers answer, if the node is a worker and all servers are ready.
  func serversMessage(for node: NodeID) -> [CoordinatorAction] {
    guard members[node]?.role == .worker, members.areServersReady else { return [] }
    return [.send(.servers(generation: generation, endpoints: members.dataEndpoints), to: node)]
  }

  /// A member cannot be welcomed before it is known what the generation begins with.
  func notReady(_ node: NodeID) -> CoordinatorAction {
    let refusal = Refusal(
      code: .notReady,
      message: "The coordinator of run '\(plan.runID)' does not know yet where to resume; ask "
        + "again.")
    return .send(.refused(refusal), to: node)
  }

  /// A lost process, or one that an earlier start of the coordinator had as a member, can come back
  /// with a hello.
  mutating func answerUnknown(_ node: NodeID, _ message: NodeMessage) -> [CoordinatorAction] {
    ignore()
    if case .goodbye = message { return [] }
    let refusal = Refusal(
      code: .helloNeeded,
      message: "This process is not a member of run '\(plan.runID)' (any more); it has to join "
        + "again, with a hello.")
    return [.send(.refused(refusal), to: node)]
  }
}
