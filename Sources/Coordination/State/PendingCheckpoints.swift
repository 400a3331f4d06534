import Messages

/// Checkpoints on their way: which servers have written their rows of which version, and the one
/// whose manifest is being written.
struct PendingCheckpoints: Sendable, Equatable {
  private struct Collection: Sendable, Equatable {
    /// By rank.
    var shards: [UInt32: CheckpointShard] = [:]
    /// When the first was written.
    var since: Double
  }

  /// A complete checkpoint whose manifest is being written.
  struct Committing: Sendable, Equatable {
    var commit: CheckpointCommit
    var since: Double
  }

  /// How many versions are collected at a time; of more the oldest are dropped.
  static let limit = 4

  let serverCount: UInt32
  /// By version, of the current generation.
  private var collections: [UInt64: Collection] = [:]
  /// May be of an older generation.
  private(set) var committing: Committing?
  /// The newest version of this generation that is known to be on the disk.
  private(set) var newest: UInt64?

  init(serverCount: UInt32) {
    self.serverCount = serverCount
  }

  /// How many versions are being collected.
  var count: Int { collections.count }

  /// Versions of older generations will not become complete.
  mutating func beginGeneration() {
    collections = [:]
    newest = nil
  }

  /// The generation begins with a checkpoint, or had one before the coordinator was started again.
  mutating func noteNewest(_ version: UInt64?) { newest = version }

  /// Takes note of one server's file.
  mutating func note(_ shard: CheckpointShard, at now: Double) {
    guard shard.version > newest ?? 0, committing.map({ !$0.includes(shard) }) ?? true else {
      return
    }
    collections[shard.version, default: Collection(since: now)].shards[shard.rank] = shard
    if collections.count > Self.limit, let oldest = collections.keys.min() {
      collections[oldest] = nil
    }
  }

  /// A version will not become complete.
  mutating func drop(_ version: UInt64) { collections[version] = nil }

  /// The newest complete version, to be committed, unless another is; older ones are dropped.
  mutating func beginCommit(in plan: RunPlan) -> CheckpointCommit? {
    guard committing == nil else { return nil }
    let complete = collections.filter { $0.value.shards.count == Int(serverCount) }
    guard let (version, collection) = complete.max(by: { $0.key < $1.key }),
      let generation = collection.shards.values.first?.generation
    else { return nil }
    collections = collections.filter { $0.key > version }
    let (epoch, offset) = version.quotientAndRemainder(dividingBy: plan.versionsPerEpoch)
    let commit = CheckpointCommit(
      generation: generation, version: version, epoch: UInt32(clamping: epoch),
      step: UInt32(clamping: offset / UInt64(plan.roundsPerStep)),
      shards: collection.shards.values.sorted { $0.rank < $1.rank })
    committing = Committing(commit: commit, since: collection.since)
    return commit
  }

  /// The commit under way, if it is of this version, is over.
  ///
  /// - Parameter generation: the current one.
  mutating func endCommit(
    of version: UInt64, isDone: Bool, generation: UInt64
  ) -> Committing? {
    guard let ended = committing, ended.commit.version == version else { return nil }
    committing = nil
    if isDone, ended.commit.generation == generation { newest = max(newest ?? 0, version) }
    return ended
  }
}

extension PendingCheckpoints.Committing {
  fileprivate func includes(_ shard: CheckpointShard) -> Bool {
    commit.generation == shard.generation && commit.version == shard.version
  }
}
