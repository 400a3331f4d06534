import Messages

extension CoordinatorState {
  mutating func handleHello(
    _ hello: NodeHello, from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    guard node == hello.incarnation else { return ignore() }
    if membership[node] != nil {
      membership.markSeen(node, at: now)
      return welcomeAgain(node)
    }
    if let refusal = objection(to: hello) { return refuse(hello, refusal) }
    guard let member = membership.join(hello, at: now) else {
      return refuse(hello, fullRefusal(for: hello))
    }
    return [
      welcome(member, node),
      .report(.nodeJoined(role: hello.role, rank: member.rank, host: hello.host)),
    ] + serversMessage(for: node)
  }

  mutating func handleReady(_ node: NodeID, at now: Double) -> [CoordinatorAction] {
    guard case .forming = phase, let member = membership[node], !member.isReady else {
      return ignore()
    }
    // A worker is ready only after it has reached the servers, so not before they are known.
    if member.hello.role == .worker, !membership.areServersReady { return ignore() }
    membership.markReady(node)
    if membership.areAllReady { return beginRun(at: now) }
    guard member.hello.role == .server else { return [] }
    return membership.workers.flatMap { serversMessage(for: $0) }
  }

  private mutating func beginRun(at now: Double) -> [CoordinatorAction] {
    var actions: [CoordinatorAction] = [
      .report(
        .clusterFormed(
          workers: plan.workerCount, servers: plan.serverCount, seconds: now - (startedAt ?? now)))
    ]
    if plan.workerCount > plan.shardCount {
      actions.append(
        .report(
          .idleWorkers(
            count: plan.workerCount - plan.shardCount, shardCount: plan.shardCount)))
    }
    let start = beginTraining(epoch: 0, at: now)
    return actions + [record(.clusterFormed)] + start
  }

  /// The same answers as the first time, so that a node whose messages were lost loses nothing;
  /// tasks keep their ids, which is why a node that has them already can tell.
  private func welcomeAgain(_ node: NodeID) -> [CoordinatorAction] {
    guard let member = membership[node] else { return [] }
    let tasks = work?.assignments.filter { $0.node == node } ?? []
    return [welcome(member, node)] + serversMessage(for: node)
      + tasks.map { .send(.task($0.task), to: node) }
  }

  /// For a node that beats but has not said that it is ready. A server says so with its first
  /// breath, a worker when it has met the servers.
  func repeatSetUp(of node: NodeID) -> [CoordinatorAction] {
    guard let member = membership[node] else { return [] }
    return member.hello.role == .server ? [welcome(member, node)] : serversMessage(for: node)
  }

  private func welcome(_ member: Membership.Member, _ node: NodeID) -> CoordinatorAction {
    .send(
      .welcome(
        Welcome(
          runID: plan.runID, generation: plan.generation, rank: member.rank,
          configuration: plan.configuration, tables: plan.tables, seed: plan.seed,
          shardCount: plan.shardCount, stepsPerEpoch: plan.stepsPerEpoch,
          roundsPerStep: plan.roundsPerStep, serverCount: plan.serverCount,
          heartbeatInterval: plan.timing.heartbeatInterval)), to: node)
  }

  /// Where the servers answer, if the node is a worker and all of them do.
  private func serversMessage(for node: NodeID) -> [CoordinatorAction] {
    guard membership[node]?.hello.role == .worker, membership.areServersReady else { return [] }
    return [
      .send(
        .servers(generation: plan.generation, endpoints: membership.dataEndpoints), to: node)
    ]
  }

  private func refuse(_ hello: NodeHello, _ refusal: Refusal) -> [CoordinatorAction] {
    [
      .send(.refused(refusal), to: hello.incarnation),
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
    return nil
  }

  private func fullRefusal(for hello: NodeHello) -> Refusal {
    let role = hello.role == .worker ? "worker" : "server"
    let wanted = membership.wantedCount(of: hello.role)
    return Refusal(
      code: .clusterFull,
      message: "Run '\(plan.runID)' has all its \(wanted) \(role)s; start the coordinator with a "
        + "higher number of \(role)s to use more.")
  }
}
