public import Enrollment
import Messages

/// A server's process as a value: its membership in the run, its tables under the current
/// generation, and the checkpoints that it owes. Sockets, clock, disk and the making of tables are
/// its shell's.
///
///     joining → preparing g → serving g → preparing g + 1 → …
///
/// With every higher generation the tables are made anew from what the welcome names. Until they
/// are there, requests are answered with `notReady`.
public struct ServerSession<Peer: Hashable & Sendable>: Sendable {
  private var enrollment: Enrollment
  /// Of the current generation, once prepared.
  public private(set) var state: ServerState<Peer>?
  /// Of the generations before, and of requests between two of them.
  private var earlierStatistics = ServerStatistics()
  private var duty = CheckpointDuty()
  /// Set while the coordinator wants the version to stay.
  private var isHeld = false
  /// The last version that the coordinator wants; nil: any.
  private var lastVersion: UInt64?
  private var hasLeft = false

  public init(hello: NodeHello, limits: Enrollment.Limits = .init(), at now: Double) {
    enrollment = Enrollment(hello: hello, limits: limits, at: now)
  }

  /// What was done in all generations.
  public var statistics: ServerStatistics {
    var all = earlierStatistics
    if let state { all.add(state.statistics) }
    return all
  }

  /// Takes in an event and says what to do, in order.
  ///
  /// - Parameter now: seconds on a clock that never goes back.
  public mutating func handle(
    _ event: ServerSessionEvent<Peer>, at now: Double
  ) -> [ServerSessionAction<Peer>] {
    guard !hasLeft else { return [] }
    switch event {
    case .coordinator(let letter):
      updateHolding()
      let released = letter.term > enrollment.term ? endHold() : []
      return released + enrollment.handle(letter, at: now).flatMap { perform($0) }
    case .request(let request, let peer): return answer(request, from: peer)
    case .peerGone(let peer):
      _ = state?.handle(.peerGone(peer))
      return []
    case .prepared(let state): return serve(state)
    case .preparationFailed(let generation, let message, let isTransient):
      guard generation == enrollment.welcome?.generation else { return [] }
      return [
        .tell(.goodbye(reason: message)),
        leave(isTransient ? .transient(message) : .permanent(message)),
      ]
    case .checkpointWritten(let shard):
      guard shard.generation == state?.generation else {
        // Rows of a generation that is over.
        duty.failed()
        return goOn()
      }
      duty.written(shard)
      return [.tell(.checkpointWritten(shard))] + goOn()
    case .checkpointFailed(let generation, let version, let message):
      duty.failed()
      let news = NodeMessage.checkpointFailed(
        generation: generation, version: version, message: message)
      return [.tell(news)] + goOn()
    case .stopRequested:
      return [.tell(.goodbye(reason: "it was asked to stop")), leave(.finished("asked to stop"))]
    case .tick:
      updateHolding()
      let notice = enrollment.waitNotice(at: now).map { [ServerSessionAction<Peer>.warn($0)] } ?? []
      return notice + enrollment.tick(at: now).flatMap { perform($0) }
    }
  }

  // MARK: Membership

  /// What a coordinator that starts anew should know.
  private mutating func updateHolding() {
    enrollment.holding = state.map {
      Holding(generation: $0.generation, rank: UInt32($0.rank), version: $0.version)
    }
  }

  private mutating func perform(_ action: Enrollment.Action) -> [ServerSessionAction<Peer>] {
    switch action {
    case .tell(let message): return [.tell(message)]
    case .beat: return beat()
    case .begin(let welcome):
      earlierStatistics = statistics
      state = nil
      isHeld = false
      lastVersion = nil
      duty.plan = welcome.checkpoints
      return [.prepare(welcome)]
    case .welcomedAgain: return ready()
    case .hear(let message): return hear(message)
    case .leave(let departure): return [leave(departure)]
    }
  }

  /// A heartbeat, and with it what the coordinator may not have heard.
  private func beat() -> [ServerSessionAction<Peer>] {
    let welcome = enrollment.welcome
    var actions: [ServerSessionAction<Peer>] = [
      .beat(
        generation: welcome?.generation ?? 0,
        version: state?.version ?? welcome?.restored?.version ?? 0)
    ]
    if let unseen = duty.unseen { actions.append(.tell(.checkpointWritten(unseen))) }
    if isHeld, let state {
      actions.append(.tell(.held(generation: state.generation, version: state.version)))
    }
    return actions
  }

  private func ready() -> [ServerSessionAction<Peer>] {
    state.map { [.tell(.ready(generation: $0.generation))] } ?? []
  }

  private mutating func leave(_ departure: Departure) -> ServerSessionAction<Peer> {
    hasLeft = true
    return .leave(departure)
  }

  private mutating func serve(_ state: ServerState<Peer>) -> [ServerSessionAction<Peer>] {
    guard state.generation == enrollment.welcome?.generation, self.state == nil else { return [] }
    self.state = state
    duty.begin(at: state.version)
    return ready() + goOn()
  }

  // MARK: Coordinator's wishes

  private mutating func hear(_ message: CoordinatorMessage) -> [ServerSessionAction<Peer>] {
    switch message {
    case .hold(let generation):
      guard generation == state?.generation, let version = state?.hold() else { return [] }
      isHeld = true
      return [.tell(.held(generation: generation, version: version))]
    case .checkpoint(let generation, let version):
      guard generation == state?.generation else { return [] }
      isHeld = false
      lastVersion = version
      let written = duty.want(version)
      let news = written.map { [ServerSessionAction<Peer>.tell(.checkpointWritten($0))] } ?? []
      return news + goOn()
    case .checkpointSeen(let generation, let version):
      if generation == state?.generation { duty.seen(version) }
      return []
    case .welcome, .servers, .task, .heartbeatSeen, .finish, .refused:
      return []
    }
  }

  /// What an earlier coordinator wanted is not for ever: the one that takes over does not know it.
  private mutating func endHold() -> [ServerSessionAction<Peer>] {
    isHeld = false
    lastVersion = nil
    return goOn()
  }

  /// Lets versions begin, as far as the coordinator wants. Several may be complete already: each of
  /// them that is owed to disk is looked at before the next one begins.
  private mutating func goOn() -> [ServerSessionAction<Peer>] {
    var actions = writeIfDue()
    while !isHeld, let version = state?.version {
      let limits = [lastVersion, duty.plan?.nextDue(after: version)].compactMap { $0 }
      actions += (state?.release(upTo: limits.min()) ?? []).map { pass($0) }
      guard state?.version != version else { break }
      actions += writeIfDue()
    }
    return actions
  }

  private mutating func writeIfDue() -> [ServerSessionAction<Peer>] {
    guard let state, duty.reached(state.version) else { return [] }
    guard let snapshot = state.snapshot() else {
      duty.failed()
      return [
        .tell(
          .checkpointFailed(
            generation: state.generation, version: state.version,
            message: "server \(state.rank) still lacks initial values"))
      ]
    }
    return [.writeCheckpoint(snapshot)]
  }

  // MARK: Data

  private mutating func answer(
    _ request: DataRequest, from peer: Peer
  ) -> [ServerSessionAction<Peer>] {
    guard state != nil else {
      earlierStatistics.refusals[.notReady, default: 0] += 1
      let refusal = Refusal(
        code: .notReady, message: "this server is preparing its tables; ask again")
      return [.reply(DataReply(requestID: request.id, body: .refused(refusal)), to: peer)]
    }
    let actions = state?.handle(.request(request, from: peer)) ?? []
    return actions.map { pass($0) } + goOn()
  }

  private func pass(_ action: ServerAction<Peer>) -> ServerSessionAction<Peer> {
    switch action {
    case .reply(let reply, let peer): .reply(reply, to: peer)
    }
  }
}
