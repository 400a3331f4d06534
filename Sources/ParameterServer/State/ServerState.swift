import Protocol
import Tables

/// The state machine of one parameter server: its rows of every table, and the data protocol.
///
/// Workers pull rows as of a version, and push one contribution per version and logical shard.
/// When the contributions of all shards to the current version are confirmed, they are added in
/// shard order, the optimizer is applied, and the version rises by one:
///
///     version v ──(contributions of shards 0 … V−1 to v, confirmed)──▶ version v + 1
///
/// In `ssp` and `async` (``Consistency``) there are also contributions to later versions, computed
/// from stale rows, and only the last version of an epoch needs confirmations.
///
/// The worker that pushed a shard confirms it with its pull of the next version, when every server
/// has acknowledged the contribution; the only server of a run need not be waited for. So while one
/// server is at v, all servers can answer pulls of v, and any worker can compute the shard of a
/// lost worker again from v. Once one server is at v + 1, all contributions to v are on all
/// servers.
///
/// A contribution counts once under its name (generation, version, shard), however often and by
/// whichever worker it is sent. A push is acknowledged when it is stored, not when it is applied:
/// both are in memory, and after the acknowledgement it can be neither lost nor counted twice.
///
/// A peer is at most one version ahead of the server's answers: before it pushes to (or reduces at)
/// a version it must have pulled that version from this server, possibly without any section.
///
/// Copies are independent of the original; ``snapshot()`` is the server's part of a checkpoint.
package struct ServerState<Peer: Hashable & Sendable>: Sendable {
  /// The rank of this server, from 0.
  package let rank: Int
  /// The number of servers.
  package let serverCount: Int
  /// The run that the server belongs to; peers of other runs are refused.
  package let runID: String
  /// Messages of older generations are refused.
  package let generation: UInt64
  /// Contributions per version.
  package let shardCount: Int
  /// How stale the rows of a reply may be.
  package let consistency: Consistency
  /// Limits on memory and waiting requests.
  package let limits: ServerLimits

  /// The version of the tables: the number of applied updates.
  package internal(set) var version: UInt64 = 0
  /// Counts of requests, rows and bytes.
  package internal(set) var statistics = ServerStatistics()

  var tables: [TableStore]
  var optimizer: Optimizer
  /// The peers that have sent a hello.
  var peers = PeerTable<Peer>()
  var parkedPulls: [ParkedPull<Peer>] = []
  /// Contributions and confirmations for the current version and later ones.
  var pending: PendingVersions
  /// The last version that may begin; nil: no limit.
  var lastVersion: UInt64?
  var epochSums: EpochSums
  var reductions = Reductions<Peer>()
  var missingInitialValues: MissingInitialValues

  /// A server at version 0, with the initial values of its rows.
  ///
  /// - Parameters:
  ///   - rank: the rank of the server, `0 ..< serverCount`.
  ///   - tables: the tables of the run, in the order of their ids.
  ///   - shardCount: contributions per version.
  /// - Throws: ``ParameterServerError`` if a number is out of its range or a table name occurs
  ///   twice (`configuration`), or if the rows need more memory than the limit (`limit`).
  package init(
    rank: Int, serverCount: Int, runID: String, generation: UInt64, tables: [TableSpec],
    seed: UInt64, shardCount: Int, schedule: StepSchedule, optimizer: OptimizerConfiguration,
    consistency: Consistency = .bulkSynchronous, limits: ServerLimits = ServerLimits()
  ) throws(ParameterServerError) {
    try self.init(
      rank: rank, serverCount: serverCount, runID: runID, generation: generation, tables: tables,
      seed: seed, shardCount: shardCount, schedule: schedule, optimizer: optimizer,
      consistency: consistency, limits: limits, isInitialized: true)
  }

  /// - Parameter isInitialized: whether the rows get their initial values, or zeros.
  init(
    rank: Int, serverCount: Int, runID: String, generation: UInt64, tables: [TableSpec],
    seed: UInt64, shardCount: Int, schedule: StepSchedule, optimizer: OptimizerConfiguration,
    consistency: Consistency, limits: ServerLimits, isInitialized: Bool
  ) throws(ParameterServerError) {
    try optimizer.validate()
    guard (1...SlotMap.slotCount).contains(serverCount), (0..<serverCount).contains(rank) else {
      throw ParameterServerError(
        .configuration,
        """
        Server \(rank) of \(serverCount) cannot be set up: there are 1 to \(SlotMap.slotCount) \
        servers, ranked from 0.
        """)
    }
    guard (1...Self.mostShards).contains(shardCount) else {
      throw ParameterServerError(
        .configuration,
        "A batch cannot be cut into \(shardCount) shards; choose 1 to \(Self.mostShards).")
    }
    self.rank = rank
    self.serverCount = serverCount
    self.runID = runID
    self.generation = generation
    self.shardCount = shardCount
    self.consistency = consistency
    self.limits = limits
    let clock = Optimizer(optimizer, schedule: schedule)
    self.optimizer = clock
    self.tables = try TableStore.make(
      tables, rank: rank, map: SlotMap(serverCount: serverCount), layout: clock.layout(of:),
      seed: seed, isInitialized: isInitialized, byteLimit: limits.tableBytes)
    pending = PendingVersions(shardCount: shardCount)
    // Only one server keeps the sums, otherwise they would be counted more than once.
    epochSums = EpochSums(shardCount: rank == 0 ? shardCount : 0)
    missingInitialValues = MissingInitialValues(self.tables)
  }

  /// The greatest number of shards.
  package static var mostShards: Int { WireLimits.standard.shards }

  /// Handles a request.
  ///
  /// Every request gets one reply: at once, or later if it waits for a version or for other shards
  /// (none if its peer is lost before). An invalid request is refused and changes nothing but the
  /// statistics. The confirmations of a valid pull count even if there is no room for it to wait.
  ///
  /// - Returns: the replies to this and to waiting requests that can be sent now.
  package mutating func answer(
    _ request: DataRequest, from peer: Peer
  ) -> [ServerReply<Peer>] {
    peers.noteRequest(of: peer)
    do {
      return try respond(to: request, from: peer)
    } catch {
      let context = "server \(rank) refused \(describe(request.body, from: peer))"
      return [
        refuse(request.id, of: peer, error.code, "\(context): \(error.message)", error.version)
      ]
    }
  }

  private mutating func respond(
    to request: DataRequest, from peer: Peer
  ) throws(Refusal) -> [ServerReply<Peer>] {
    switch request.body {
    case .hello(let hello):
      try greet(peer, hello)
      return [reply(request.id, to: peer, .welcome)]
    case .pull(let pull): return try handle(pull, id: request.id, from: peer)
    case .push(let push): return try handle(push, id: request.id, from: peer)
    case .reduce(let reduce): return try handle(reduce, id: request.id, from: peer)
    case .copy:
      throw Refusal(code: .malformed, message: "Files are not a matter of the tables.")
    }
  }

  private mutating func greet(_ peer: Peer, _ hello: DataHello) throws(Refusal) {
    guard hello.runID == runID else {
      throw Refusal(
        code: .wrongRun,
        message: """
          this server belongs to run '\(runID)', not '\(hello.runID)'; get the addresses of the \
          servers from the coordinator of that run
          """)
    }
    try check(generation: hello.generation)
    if peers[peer] == nil, peers.count >= limits.peers { try makeRoom() }
    peers.add(peer, hello)
  }

  /// Forgets the peer with the oldest last request. Peers that wait for a reply are kept: if one is
  /// gone, sending the reply will show it.
  private mutating func makeRoom() throws(Refusal) {
    let waiting = Set(parkedPulls.map(\.peer)).union(reductions.waitingPeers)
    guard let silent = peers.longestSilent(except: waiting) else {
      throw Refusal(
        code: .limit,
        message: "\(limits.peers) peers wait for replies, which is the limit; retry later")
    }
    forget(silent)
  }

  /// Drops a lost peer and the replies that wait for it.
  package mutating func forget(_ peer: Peer) {
    peers.remove(peer)
    parkedPulls.removeAll { $0.peer == peer }
    reductions.forget(peer)
  }

  /// Checks that a peer has sent a hello and that its request is of this generation.
  func admit(_ peer: Peer, generation: UInt64) throws(Refusal) {
    guard peers[peer] != nil else {
      throw Refusal(
        code: .helloNeeded, message: "send a hello first, with run id and generation")
    }
    try check(generation: generation)
  }

  private func check(generation other: UInt64) throws(Refusal) {
    if other < generation {
      throw Refusal(
        code: .staleGeneration,
        message: """
          generation \(other) is over, this is generation \(generation); wait for the \
          coordinator's next welcome
          """)
    }
    if other > generation {
      throw Refusal(
        code: .notReady,
        message: "generation \(other) has not begun here, this is generation \(generation); retry")
    }
  }

  func reply(_ id: UInt64, to peer: Peer, _ body: DataReplyBody) -> ServerReply<Peer> {
    ServerReply(reply: DataReply(requestID: id, body: body), peer: peer)
  }

  mutating func refuse(
    _ id: UInt64, of peer: Peer, _ code: Refusal.Code, _ message: String, _ version: UInt64 = 0
  ) -> ServerReply<Peer> {
    statistics.refusals[code, default: 0] += 1
    return reply(
      id, to: peer, .refused(Refusal(code: code, message: message, version: version)))
  }

  private func describe(_ body: DataRequestBody, from peer: Peer) -> String {
    let sender = peers[peer]?.sender ?? "an unknown peer"
    return switch body {
    case .hello(let hello): "the hello of \(hello.sender)"
    case .pull(let pull): "\(sender)'s pull of version \(pull.version)"
    case .push(let push): "\(sender)'s push of \(describe(push.name))"
    case .reduce(let reduce): "\(sender)'s reduce of \(describe(reduce.name))"
    case .copy(let copy): "\(sender)'s copy of version \(copy.version)"
    }
  }

  private func describe(_ name: ContributionName) -> String {
    "shard \(name.shard) at version \(name.version)"
  }
}

/// A reply and the connection on which to send it.
package struct ServerReply<Peer: Hashable & Sendable>: Sendable {
  package let reply: DataReply
  package let peer: Peer
}
