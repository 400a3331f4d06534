import Coordinator
import Protocol

/// What every simulated node has to do with the coordinator.
struct SimulatedMembership {
  var hello: NodeHello
  var term: UInt64 = 0
  var generation: UInt64 = 0
  var rank: UInt32 = 0
  /// Sends hellos until it is welcome.
  var isCalling = true
  var isReady = false
  var isGone = false
  /// Paused: neither acts nor receives.
  var pausedUntil = 0.0
  var spokeAt = -10.0
  var outbox: [NodeMessage] = []

  /// Takes in what concerns membership.
  ///
  /// - Returns: whether a new generation begins.
  mutating func hear(_ envelope: CoordinatorEnvelope) -> Bool {
    guard envelope.term >= term else { return false }
    term = envelope.term
    switch envelope.message {
    case .welcome(let welcome):
      guard welcome.generation >= generation else { return false }
      isCalling = false
      rank = welcome.rank
      hello.runID = welcome.runID
      guard welcome.generation > generation else {
        if isReady { outbox.append(.ready(generation: generation)) }
        return false
      }
      generation = welcome.generation
      isReady = false
      return true
    case .refused(let refusal):
      switch refusal.code {
      case .helloNeeded: isCalling = true
      case .notReady, .clusterFull: break
      default: isGone = true
      }
    case .finish: isGone = true
    default: break
    }
    return false
  }
}

/// A server as the contract describes it, without numbers.
struct SimulatedServer {
  enum Answer: Equatable {
    case rows
    case later
    case gone(UInt64)
    case stale
  }

  let plan: RunPlan
  var membership: SimulatedMembership
  private(set) var version: UInt64 = 0
  private var contributed: Set<UInt32> = []
  private var confirmed: Set<UInt32> = []
  private var limit: UInt64?
  private var wanted: UInt64?
  private var isHeld = false
  private var unseen: [CheckpointShard] = []
  private var restoring: UInt64?
  /// What must never happen.
  private(set) var violations: [String] = []

  init(plan: RunPlan, hello: NodeHello) {
    self.plan = plan
    membership = SimulatedMembership(hello: hello)
  }

  mutating func hear(_ envelope: CoordinatorEnvelope) {
    if membership.hear(envelope), case .welcome(let welcome) = envelope.message {
      restoring = welcome.restored?.version ?? 0
      membership.hello.holding = nil
    }
    guard envelope.term == membership.term else { return }
    switch envelope.message {
    case .hold(membership.generation) where membership.isReady:
      limit = version
      isHeld = true
      sayHeld()
    case .checkpoint(membership.generation, let target) where membership.isReady:
      limit = target
      wanted = target
      isHeld = target == version
      advance()
      if version == target { write() }
    case .checkpointAcknowledged(let generation, let version):
      unseen.removeAll { $0.generation == generation && $0.version <= version }
    default: break
    }
  }

  /// The tables are made or restored.
  mutating func prepare() {
    guard let restoring else { return }
    version = restoring
    self.restoring = nil
    (contributed, confirmed, unseen) = ([], [], [])
    (limit, wanted, isHeld) = (nil, nil, false)
    membership.isReady = true
    membership.outbox.append(.ready(generation: membership.generation))
  }

  mutating func beat() {
    if membership.isReady {
      membership.hello.holding = HeldState(
        generation: membership.generation, rank: membership.rank, version: version)
    }
    guard !membership.isCalling else { return membership.outbox.append(.hello(membership.hello)) }
    membership.outbox.append(
      TestCluster.beat(generation: membership.generation, version: version))
    if isHeld { sayHeld() }
    membership.outbox += unseen.map { .checkpointWritten($0) }
  }

  private mutating func sayHeld() {
    membership.outbox.append(.held(generation: membership.generation, version: version))
  }

  mutating func push(generation: UInt64, version: UInt64, shard: UInt32) -> Answer {
    guard generation == membership.generation, membership.isReady else { return .stale }
    if version > self.version { violations.append("pushed to \(version) at \(self.version)") }
    if version == self.version { contributed.insert(shard) }
    return .rows
  }

  mutating func pull(generation: UInt64, version: UInt64, confirming shards: [UInt32]) -> Answer {
    guard generation == membership.generation, membership.isReady else { return .stale }
    if version == self.version + 1 {
      if !contributed.isSuperset(of: shards) {
        violations.append("confirmed \(shards) with \(contributed) at \(self.version)")
      }
      confirmed.formUnion(shards)
      advance()
    }
    if version < self.version { return .gone(self.version) }
    return version == self.version ? .rows : .later
  }

  private mutating func advance() {
    guard confirmed.count == Int(plan.shardCount), version < limit ?? .max else { return }
    version += 1
    (contributed, confirmed) = ([], [])
    if version == wanted || plan.checkpoints?.isDue(atVersion: version) == true { write() }
  }

  private mutating func write() {
    guard version > 0 else { return }
    let shard = CheckpointShard(
      generation: membership.generation, version: version, rank: membership.rank,
      file: "v\(version)/\(membership.rank)", byteCount: 1, digest: "ab")
    unseen.append(shard)
    membership.outbox.append(.checkpointWritten(shard))
  }
}
