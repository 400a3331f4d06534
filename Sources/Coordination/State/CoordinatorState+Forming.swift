import Messages

extension CoordinatorState {
  /// Decides what a coordinator that was started again does with the servers that have come: all
  /// of them as it left them, and they keep their tables; any other, and the tables go back.
  mutating func gather(at now: Double) -> [CoordinatorAction] {
    let servers = membership.servers
    guard servers.allSatisfy(isAdoptable) else { return recover(at: now) }
    guard servers.count == Int(plan.serverCount) else { return [] }
    origin = .adoption
    for node in servers {
      membership.raiseVersion(to: membership[node]?.hello.holding?.version ?? 0, of: node)
    }
    phase = .forming(Forming(stage: .settingUp, areServersKnown: true))
    return membership.all.flatMap { welcome($0) }
  }

  private func isAdoptable(_ node: NodeID) -> Bool {
    guard recordedServerCount == plan.serverCount, let member = membership[node],
      let holding = member.hello.holding
    else { return false }
    return holding.generation == generation && holding.rank == member.rank
      && holding.version <= latestPossibleVersion
  }

  mutating func handleReady(
    _ node: NodeID, generation: UInt64, at now: Double
  ) -> [CoordinatorAction] {
    guard generation == self.generation, let member = membership[node], !member.isReady else {
      return ignore()
    }
    switch phase {
    case .forming(let forming) where forming.stage == .settingUp:
      // A worker is ready only after it has reached the servers, so not before they are known.
      if member.role == .worker, !forming.areServersKnown { return ignore() }
      markReady(node)
      return (member.role == .server ? serverReady(node, at: now) : []) + beginIfFormed(at: now)
    case .forming, .ended: return ignore()
    case .training, .materializing, .ranking, .saving, .resting:
      markReady(node)
      return handOut(favoring: node, at: now)
    }
  }

  private mutating func markReady(_ node: NodeID) {
    membership.markReady(node)
    guard let member = membership[node], member.role == .worker else { return }
    if lastLostWorker?.rank == member.rank { lastLostWorker = nil }
  }

  private mutating func serverReady(_ node: NodeID, at now: Double) -> [CoordinatorAction] {
    membership.raiseVersion(to: origin.version, of: node)
    guard membership.areServersReady, case .forming(var forming) = phase else { return [] }
    forming.areServersKnown = true
    forming.serversReadyAt = now
    phase = .forming(forming)
    return membership.workers.flatMap { serversMessage(for: $0) }
  }

  /// Begins, or goes on, when the servers and enough workers are ready. The other workers are
  /// waited for, so that nothing needs to be moved a moment later, but not for long.
  mutating func beginIfFormed(at now: Double) -> [CoordinatorAction] {
    guard case .forming(let forming) = phase, let serversReadyAt = forming.serversReadyAt else {
      return []
    }
    let ready = membership.readyWorkers.count
    guard ready >= (hasBegun ? 1 : Int(plan.workerCount)),
      ready == membership.workers.count || now - serversReadyAt > plan.timing.heartbeatTimeout
    else { return [] }
    return begin(at: now)
  }

  private mutating func begin(at now: Double) -> [CoordinatorAction] {
    let isFirst = !hasBegunHere
    let isContinued = hasBegun || isResumed || generation > 1
    hasBegun = true
    hasBegunHere = true
    let version = membership.lowestVersion
    let record = record(.clusterFormed)
    let work = goOn(from: version, at: now)
    var news: [RunEvent] = []
    if isFirst { news = formationNews(at: now) }
    if isContinued { news.append(.resumed(epoch: epoch, version: version, from: origin)) }
    return news.map { .report($0) } + [record] + work
  }

  private func formationNews(at now: Double) -> [RunEvent] {
    let workers = UInt32(membership.readyWorkers.count)
    let formed = RunEvent.clusterFormed(
      workers: workers, servers: plan.serverCount, seconds: now - (startedAt ?? now))
    guard workers > plan.shardCount else { return [formed] }
    return [
      formed, .idleWorkers(count: workers - plan.shardCount, shardCount: plan.shardCount),
    ]
  }

  /// Who is missing from a complete cluster, for people.
  var missing: String {
    let servers = Int(plan.serverCount) - membership.servers.count
    let workers = (hasBegun ? 1 : Int(plan.workerCount)) - membership.workers.count
    var parts: [String] = []
    for (absent, role) in [(servers, "server"), (workers, "worker")] where absent > 0 {
      parts.append("\(absent) \(role)\(absent == 1 ? "" : "s") did not come")
    }
    for node in membership.all {
      if let member = membership[node], !member.isReady {
        parts.append("\(member.name) is not ready")
      }
    }
    return parts.joined(separator: ", ")
  }
}
