import Protocol

/// A server process as a state machine: its membership in the run, the tables of the current
/// generation, and the checkpoints that it has to write. Its driver owns the sockets, the clock and
/// the disk, and makes the tables.
///
///     joining → preparing g → serving g → preparing g + 1 → …
///
/// With every higher generation the tables are made again, from the checkpoint in the welcome or
/// with initial values. Until they are ready, requests are refused with `notReady`.
package struct ServerSession<Peer: Hashable & Sendable>: Sendable {
  private var membership: NodeMembership
  /// The tables of the current generation, once prepared.
  package private(set) var state: ServerState<Peer>?
  /// Counts of earlier generations, and of requests while tables are prepared.
  private var earlierStatistics = ServerStatistics()
  private var checkpoints = CheckpointSchedule()
  /// Whether the coordinator holds the tables at their version.
  private var isHeld = false
  /// The version at which the coordinator wants the tables to stop; nil: none.
  private var lastVersion: UInt64?
  /// Whether the server has left the run.
  package private(set) var hasLeft = false

  package init(hello: NodeHello, limits: NodeMembership.Limits = .init(), at now: Double) {
    membership = NodeMembership(hello: hello, limits: limits, at: now)
  }

  /// The counts of all generations.
  package var statistics: ServerStatistics {
    var all = earlierStatistics
    if let state { all.add(state.statistics) }
    return all
  }

  /// The last welcome: rank, run and generation; nil before the first.
  package var welcome: Welcome? { membership.welcome }

  /// The highest term that is known.
  package var term: UInt64 { membership.term }

  /// Handles an event.
  ///
  /// - Parameter now: seconds on a monotonic clock.
  /// - Returns: what the driver has to do, in order.
  package mutating func handle(
    _ event: ServerSessionEvent<Peer>, at now: Double
  ) -> [ServerSessionAction<Peer>] {
    guard !hasLeft else { return [] }
    switch event {
    case .coordinator(let envelope):
      updateHolding()
      let released = envelope.term > membership.term ? endHold() : []
      return released + membership.handle(envelope, at: now).flatMap { execute($0) }
    case .request(let request, let peer): return answer(request, from: peer)
    case .peerGone(let peer):
      state?.forget(peer)
      return []
    case .prepared(let state): return serve(state)
    case .preparationFailed(let generation, let message, let isTransient):
      guard generation == membership.welcome?.generation else { return [] }
      return [
        .send(.goodbye(reason: message)),
        leave(isTransient ? .transient(message) : .permanent(message)),
      ]
    case .checkpointWritten(let shard):
      guard shard.generation == state?.generation else {
        // Rows of an earlier generation.
        checkpoints.failed()
        return advanceVersions()
      }
      checkpoints.written(shard)
      return [.send(.checkpointWritten(shard))] + advanceVersions()
    case .checkpointFailed(let generation, let version, let message):
      checkpoints.failed()
      let report = NodeMessage.checkpointFailed(
        generation: generation, version: version, message: message)
      return [.send(report)] + advanceVersions()
    case .answered(let reply, let peer): return [.reply(reply, to: peer)]
    case .inspected(let report): return [.send(.inspected(report))]
    case .stopRequested:
      return [.send(.goodbye(reason: "it was asked to stop")), leave(.finished("asked to stop"))]
    case .tick:
      updateHolding()
      let notice = membership.waitNotice(at: now).map { [ServerSessionAction<Peer>.warn($0)] } ?? []
      return notice + membership.tick(at: now).flatMap { execute($0) }
    }
  }

  // MARK: Membership

  /// Updates what a restarted coordinator needs to know.
  private mutating func updateHolding() {
    membership.holding = state.map {
      HeldState(generation: $0.generation, rank: UInt32($0.rank), version: $0.version)
    }
  }

  private mutating func execute(_ action: NodeMembership.Action) -> [ServerSessionAction<Peer>] {
    switch action {
    case .send(let message): return [.send(message)]
    case .sendHeartbeat: return heartbeat()
    case .begin(let welcome):
      earlierStatistics = statistics
      state = nil
      isHeld = false
      lastVersion = nil
      checkpoints.plan = welcome.checkpoints
      return [.prepare(welcome)]
    case .welcomeRepeated: return ready()
    case .deliver(let message): return handle(message)
    case .leave(let departure): return [leave(departure)]
    }
  }

  /// A heartbeat, and messages that the coordinator has not acknowledged.
  private func heartbeat() -> [ServerSessionAction<Peer>] {
    let welcome = membership.welcome
    var actions: [ServerSessionAction<Peer>] = [
      .sendHeartbeat(
        generation: welcome?.generation ?? 0,
        version: state?.version ?? welcome?.restored?.version ?? 0)
    ]
    if let shard = checkpoints.unacknowledged { actions.append(.send(.checkpointWritten(shard))) }
    if isHeld, let state {
      actions.append(.send(.held(generation: state.generation, version: state.version)))
    }
    return actions
  }

  private func ready() -> [ServerSessionAction<Peer>] {
    state.map { [.send(.ready(generation: $0.generation))] } ?? []
  }

  private mutating func leave(_ departure: Departure) -> ServerSessionAction<Peer> {
    hasLeft = true
    return .leave(departure)
  }

  private mutating func serve(_ state: ServerState<Peer>) -> [ServerSessionAction<Peer>] {
    guard state.generation == membership.welcome?.generation, self.state == nil else { return [] }
    self.state = state
    checkpoints.begin(at: state.version)
    return ready() + advanceVersions()
  }

  // MARK: Requests of the coordinator

  private mutating func handle(_ message: CoordinatorMessage) -> [ServerSessionAction<Peer>] {
    switch message {
    case .hold(let generation):
      guard generation == state?.generation, let version = state?.hold() else { return [] }
      isHeld = true
      return [.send(.held(generation: generation, version: version))]
    case .checkpoint(let generation, let version):
      guard generation == state?.generation else { return [] }
      isHeld = false
      lastVersion = version
      let written = checkpoints.request(version)
      let report = written.map { [ServerSessionAction<Peer>.send(.checkpointWritten($0))] } ?? []
      return report + advanceVersions()
    case .checkpointAcknowledged(let generation, let version):
      if generation == state?.generation { checkpoints.acknowledge(version) }
      return []
    case .servers(let generation, let endpoints):
      return [.learnServers(generation: generation, endpoints)]
    case .checkpointCommitted(let manifest, let content):
      return [.keepManifest(manifest, content)]
    case .welcome, .task, .heartbeatAcknowledged, .finish, .refused, .inspect:
      return []
    }
  }

  /// Ends a hold of an earlier coordinator, which its successor does not know about.
  private mutating func endHold() -> [ServerSessionAction<Peer>] {
    isHeld = false
    lastVersion = nil
    return advanceVersions()
  }

  /// Begins new versions as far as the coordinator allows. Several may be complete: the loop stops
  /// at every version that is due on disk, and writes it before the next one begins.
  private mutating func advanceVersions() -> [ServerSessionAction<Peer>] {
    var actions = writeIfDue()
    while !isHeld, let version = state?.version {
      let limits = [lastVersion, checkpoints.plan?.nextDue(after: version)].compactMap { $0 }
      actions += (state?.release(upTo: limits.min()) ?? []).map { .reply($0.reply, to: $0.peer) }
      guard state?.version != version else { break }
      actions += writeIfDue()
    }
    return actions
  }

  private mutating func writeIfDue() -> [ServerSessionAction<Peer>] {
    guard let state, checkpoints.reached(state.version) else { return [] }
    guard let snapshot = state.snapshot() else {
      checkpoints.failed()
      return [
        .send(
          .checkpointFailed(
            generation: state.generation, version: state.version,
            message: "server \(state.rank) still lacks initial values"))
      ]
    }
    return [.writeCheckpoint(snapshot)]
  }

  // MARK: Requests of workers

  private mutating func answer(
    _ request: DataRequest, from peer: Peer
  ) -> [ServerSessionAction<Peer>] {
    guard state != nil else {
      earlierStatistics.refusals[.notReady, default: 0] += 1
      let refusal = Refusal(
        code: .notReady, message: "this server is preparing its tables; retry")
      return [.reply(DataReply(requestID: request.id, body: .refused(refusal)), to: peer)]
    }
    let replies = state?.answer(request, from: peer) ?? []
    return replies.map { .reply($0.reply, to: $0.peer) } + advanceVersions()
  }
}
