import Messages
public import Tables

/// One parameter server: its rows of every table, and the protocol around them, as a value.
///
/// Workers pull rows as of a version, and push one contribution per version and logical shard.
/// When the contributions of all shards to the current version are confirmed, they are added in
/// shard order, the optimizer is applied, and the version rises by one:
///
///     version v ──(contributions of shards 0 … V−1 to v, confirmed)──▶ version v + 1
///
/// Where rows may be stale (``Consistency``) there are contributions to later versions too, made
/// from rows that were given out before their time, and only the last version of an epoch needs
/// confirmations.
///
/// A shard is confirmed by whoever pushed it, with the pull of the next version, when every server
/// has acknowledged its contribution. So as long as one server is at v, all servers can answer for
/// v, and a shard whose worker died at any moment can be computed again from v by any other worker;
/// and once one server is at v + 1, all contributions to v are on all servers.
///
/// A contribution counts once under its name (generation, version, shard), whoever sends it and
/// however often. A push is acknowledged when it is held, not when it is applied: both are in
/// memory, and from the acknowledgement on it can be neither lost nor counted twice.
///
/// A peer is at most one version ahead of what a server answers: before it pushes to (or reduces
/// at) a version it must have pulled that version from this server, if need be without a section.
///
/// A copy of the state stays as it is when the original goes on; ``snapshot()`` is what a
/// checkpoint needs of it.
public struct ServerState<Peer: Hashable & Sendable>: Sendable {
  /// Which of the servers this is, from 0.
  public let rank: Int
  /// How many servers share the rows.
  public let serverCount: Int
  /// The run that the server belongs to; peers of other runs are refused.
  public let runID: String
  /// Messages of older generations are refused.
  public let generation: UInt64
  /// Contributions per version.
  public let shardCount: Int
  /// How old rows may be that are given out for a version.
  public let consistency: Consistency
  /// What is held at most.
  public let limits: ServerLimits

  /// What the tables stand at: the number of updates that were applied.
  public internal(set) var version: UInt64 = 0
  /// What was done so far.
  public internal(set) var statistics = ServerStatistics()

  var tables: [TableStore]
  var optimizer: Optimizer
  /// The peers that said hello.
  var peers = PeerTable<Peer>()
  var parkedPulls: [ParkedPull<Peer>] = []
  /// What has come in for the current version, and for later ones.
  var pending: PendingVersions
  /// The version that is not gone beyond; nil: none.
  var lastVersion: UInt64?
  var epochSums: EpochSums
  var reductions = Reductions<Peer>()
  var missingInitialValues: MissingInitialValues

  /// A server at version 0, with the initial values of its rows.
  ///
  /// - Parameters:
  ///   - rank: which of the servers this is, `0 ..< serverCount`.
  ///   - tables: the tables of the run, in the order of their ids.
  ///   - shardCount: contributions per version.
  /// - Throws: ``ParameterServerError`` if a number is out of its range or a table name appears
  ///   twice (`configuration`), or if the rows need more memory than the limit (`limit`).
  public init(
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
    // One server keeps what contributions say of themselves: else it would count more than once.
    epochSums = EpochSums(shardCount: rank == 0 ? shardCount : 0)
    missingInitialValues = MissingInitialValues(self.tables)
  }

  /// Logical shards of a batch at most.
  public static var mostShards: Int { WireLimits.standard.shards }

  /// Takes one event and says what is to be done about it.
  ///
  /// Every request gets one reply: at once, or later if it waits for a version or for other
  /// shards (unless its peer goes before). A request that cannot be right is refused and changes
  /// nothing but the statistics; what a right one confirms is confirmed, even if there is no room
  /// for it to wait.
  public mutating func handle(_ event: ServerEvent<Peer>) -> [ServerAction<Peer>] {
    switch event {
    case .peerGone(let peer):
      forget(peer)
      return []
    case .request(let request, from: let peer):
      peers.noteRequest(of: peer)
      do {
        return try respond(to: request, from: peer)
      } catch {
        let context = "server \(rank) refused \(describe(request.body, from: peer))"
        return [
          refuse(
            request.id, of: peer, error.code, "\(context): \(error.message)", error.version)
        ]
      }
    }
  }

  private mutating func respond(
    to request: DataRequest, from peer: Peer
  ) throws(Refusal) -> [ServerAction<Peer>] {
    switch request.body {
    case .hello(let hello):
      try greet(peer, hello)
      return [reply(request.id, to: peer, .welcome)]
    case .pull(let pull): return try handle(pull, id: request.id, from: peer)
    case .push(let push): return try handle(push, id: request.id, from: peer)
    case .reduce(let reduce): return try handle(reduce, id: request.id, from: peer)
    }
  }

  private mutating func greet(_ peer: Peer, _ hello: DataHello) throws(Refusal) {
    guard hello.runID == runID else {
      throw Refusal(
        code: .wrongRun,
        message: """
          this server belongs to run '\(runID)', not '\(hello.runID)'; ask the coordinator of your \
          run where its servers are
          """)
    }
    try check(generation: hello.generation)
    if peers[peer] == nil, peers.count >= limits.peers { try makeRoom() }
    peers.add(peer, hello)
  }

  /// Forgets the peer that was silent for longest. One that waits for an answer is there, or its
  /// answer will show that it is not.
  private mutating func makeRoom() throws(Refusal) {
    let waiting = Set(parkedPulls.map(\.peer)).union(reductions.waiters.map(\.peer))
    guard let silent = peers.longestSilent(except: waiting) else {
      throw Refusal(
        code: .limit,
        message: "\(limits.peers) peers wait for answers, which is the limit; ask later")
    }
    forget(silent)
  }

  private mutating func forget(_ peer: Peer) {
    peers.remove(peer)
    parkedPulls.removeAll { $0.peer == peer }
    reductions.forget(peer)
  }

  /// Lets a peer that said hello ask for something of this generation.
  func admit(_ peer: Peer, generation: UInt64) throws(Refusal) {
    guard peers[peer] != nil else {
      throw Refusal(code: .helloNeeded, message: "say hello first, with run id and generation")
    }
    try check(generation: generation)
  }

  private func check(generation other: UInt64) throws(Refusal) {
    if other < generation {
      throw Refusal(
        code: .staleGeneration,
        message: """
          generation \(other) is over, this is generation \(generation); ask the coordinator for \
          the current one
          """)
    }
    if other > generation {
      throw Refusal(
        code: .notReady,
        message: "generation \(other) is not here yet, this is generation \(generation); try again")
    }
  }

  func reply(_ id: UInt64, to peer: Peer, _ body: DataReplyBody) -> ServerAction<Peer> {
    .reply(DataReply(requestID: id, body: body), to: peer)
  }

  mutating func refuse(
    _ id: UInt64, of peer: Peer, _ code: Refusal.Code, _ message: String, _ version: UInt64 = 0
  ) -> ServerAction<Peer> {
    statistics.refusals[code, default: 0] += 1
    return reply(
      id, to: peer, .refused(Refusal(code: code, message: message, version: version)))
  }

  private func describe(_ body: DataRequestBody, from peer: Peer) -> String {
    let sender = peers[peer]?.sender ?? "a stranger"
    return switch body {
    case .hello(let hello): "the hello of \(hello.sender)"
    case .pull(let pull): "\(sender)'s pull of version \(pull.version)"
    case .push(let push): "\(sender)'s push of \(describe(push.name))"
    case .reduce(let reduce): "\(sender)'s reduce of \(describe(reduce.name))"
    }
  }

  private func describe(_ name: ContributionName) -> String {
    "shard \(name.shard) at version \(name.version)"
  }
}
