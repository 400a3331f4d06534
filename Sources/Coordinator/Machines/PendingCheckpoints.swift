import Protocol

/// Checkpoints that are not complete: which servers have written their rows of which version, and
/// the complete one whose manifest is being written.
///
/// Every server writes versions in ascending order, and skips some while its disk is busy. A slow
/// one takes every second, fourth, … of those that are due, so that the versions that most servers
/// write are multiples of high powers of two.
package struct PendingCheckpoints: Sendable, Equatable {
  private struct Collection: Sendable, Equatable {
    /// By rank.
    var shards: [UInt32: CheckpointShard] = [:]
    /// When the first was written.
    var since: Double
  }

  /// A complete checkpoint whose manifest is being written.
  package struct Committing: Sendable, Equatable {
    package var commit: CheckpointCommit
    /// When the first server had written its rows.
    package var since: Double
  }

  /// How many versions are collected at a time.
  package static let limit = 4

  let serverCount: UInt32
  /// By version, of the current generation.
  private var collections: [UInt64: Collection] = [:]
  /// The last version of this generation that each server has written, by rank.
  package private(set) var written: [UInt32: UInt64] = [:]
  /// Files that will be part of no checkpoint, and are still to be deleted.
  package private(set) var discarded: [CheckpointShard] = []
  /// May be of an older generation.
  package private(set) var committing: Committing?
  /// The newest version of this generation that is known to be on the disk.
  package private(set) var newest: UInt64?

  package init(serverCount: UInt32) {
    self.serverCount = serverCount
  }

  /// How many versions are being collected.
  package var count: Int { collections.count }

  /// Versions of older generations will not become complete.
  package mutating func beginGeneration() {
    for version in collections.keys.sorted() { drop(version) }
    written = [:]
    newest = nil
  }

  /// The generation begins with a checkpoint, or had one before the coordinator was started again.
  package mutating func noteNewest(_ version: UInt64?) { newest = version }

  /// A server has written a file.
  package mutating func note(_ shard: CheckpointShard, at now: Double) {
    guard shard.version > newest ?? 0, committing.map({ !$0.includes(shard) }) ?? true else {
      return
    }
    if shard.version <= written[shard.rank] ?? 0 {
      // A repeated message. If the version was dropped, its file can be used while it still exists.
      guard let index = discarded.firstIndex(of: shard) else { return }
      discarded.remove(at: index)
    } else {
      written[shard.rank] = shard.version
      drop(below: shard.version, lacking: shard.rank)
    }
    collections[shard.version, default: Collection(since: now)].shards[shard.rank] = shard
    if collections.count > Self.limit, let version = leastPromising { drop(version) }
  }

  /// A server could not write a version, so that it will not become complete, nor those before it
  /// that the server has not written either.
  package mutating func noteFailure(ofRank rank: UInt32, at version: UInt64) {
    drop(below: version, lacking: rank)
    drop(version)
  }

  private mutating func drop(below version: UInt64, lacking rank: UInt32) {
    for (older, collection) in collections.sorted(by: { $0.key < $1.key })
    where older < version && collection.shards[rank] == nil { drop(older) }
  }

  private mutating func drop(_ version: UInt64) {
    guard let collection = collections.removeValue(forKey: version) else { return }
    discarded += collection.shards.values.sorted { $0.rank < $1.rank }
  }

  /// Which version to drop of too many: of those that are not complete the one that slow servers
  /// are least likely to write, and of several the newest, which they would reach last.
  private var leastPromising: UInt64? {
    collections.filter { $0.value.shards.count < Int(serverCount) }.keys
      .min { ($0.trailingZeroBitCount, $1) < ($1.trailingZeroBitCount, $0) }
      ?? collections.keys.min()
  }

  /// Files to be deleted: no checkpoint has them, and as all servers are beyond their version, none
  /// will.
  ///
  /// - Parameters:
  ///   - generation: the current one.
  ///   - lowest: the version that all servers have reached in it.
  package mutating func takeDiscarded(
    generation: UInt64, below lowest: UInt64
  ) -> [CheckpointShard] {
    let isOver = { (shard: CheckpointShard) in
      shard.generation < generation || shard.version < lowest
    }
    let taken = discarded.filter(isOver)
    if !taken.isEmpty { discarded.removeAll(where: isOver) }
    return taken
  }

  /// The newest complete version, to be committed, unless another is; older ones are dropped.
  package mutating func beginCommit(in plan: RunPlan) -> CheckpointCommit? {
    guard committing == nil else { return nil }
    let complete = collections.filter { $0.value.shards.count == Int(serverCount) }
    guard let (version, collection) = complete.max(by: { $0.key < $1.key }),
      let generation = collection.shards.values.first?.generation
    else { return nil }
    collections[version] = nil
    for older in collections.keys.sorted() where older < version { drop(older) }
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
  package mutating func endCommit(
    of version: UInt64, isDone: Bool, generation: UInt64
  ) -> Committing? {
    guard let ended = committing, ended.commit.version == version else { return nil }
    committing = nil
    if !isDone { discarded += ended.commit.shards }
    if isDone, ended.commit.generation == generation { newest = max(newest ?? 0, version) }
    return ended
  }
}

extension PendingCheckpoints.Committing {
  fileprivate func includes(_ shard: CheckpointShard) -> Bool {
    commit.generation == shard.generation && commit.version == shard.version
  }
}

/// A checkpoint of which every server has written its rows, and which exists once its manifest
/// does.
package struct CheckpointCommit: Sendable, Equatable {
  package var generation: UInt64
  package var version: UInt64
  /// The epoch that the version belongs to: the one that is trained from it on.
  package var epoch: UInt32
  /// Of that epoch, counted from 0.
  package var step: UInt32
  /// Of all servers, by rank.
  package var shards: [CheckpointShard]

  package init(
    generation: UInt64, version: UInt64, epoch: UInt32, step: UInt32, shards: [CheckpointShard]
  ) {
    self.generation = generation
    self.version = version
    self.epoch = epoch
    self.step = step
    self.shards = shards
  }
}

/// A checkpoint whose manifest is written.
package struct CommittedCheckpoint: Sendable, Equatable {
  package var version: UInt64
  package var generation: UInt64
  /// The epoch that the version belongs to.
  package var epoch: UInt32
  /// Relative to the folder of the checkpoints.
  package var manifest: String
  /// When, as ISO 8601 text.
  package var created: String
  /// The manifest's text, if the folder of the checkpoints is not shared; otherwise empty. Not
  /// recorded.
  package var content: String

  package init(
    version: UInt64, generation: UInt64, epoch: UInt32, manifest: String, created: String,
    content: String = ""
  ) {
    self.content = content
    self.version = version
    self.generation = generation
    self.epoch = epoch
    self.manifest = manifest
    self.created = created
  }
}
