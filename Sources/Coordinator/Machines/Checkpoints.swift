import Protocol

/// The checkpoints of a run: collects the files that servers have written, has complete ones
/// committed and useless files deleted, and warns when none was made for long.
struct Checkpoints: Sendable {
  private let plan: RunPlan
  private(set) var pending: PendingCheckpoints
  private var silence = CheckpointSilence()
  /// The manifest that was committed last, in any generation; nil if none ever was.
  private(set) var lastManifest: String?

  /// - Parameters:
  ///   - newest: the newest version that is recorded in the current generation.
  ///   - lastManifest: the last one that is recorded.
  init(plan: RunPlan, newest: UInt64?, lastManifest: String?) {
    self.plan = plan
    self.lastManifest = lastManifest
    pending = PendingCheckpoints(serverCount: plan.serverCount)
    pending.noteNewest(newest)
  }

  /// The newest version of the generation that is on the disk.
  var newest: UInt64? { pending.newest }

  mutating func beginGeneration() {
    pending.beginGeneration()
    silence.end()
  }

  /// The tables of the generation begin with a checkpoint; nil: with initial values.
  mutating func noteRestored(_ version: UInt64?) { pending.noteNewest(version) }

  // MARK: Servers

  /// Whether a file can become part of a checkpoint.
  func isUseful(
    _ shard: CheckpointShard, from member: Members.Member, in generation: UInt64
  ) -> Bool {
    shard.generation == generation && member.isReady && shard.rank == member.rank
      && shard.version > 0 && shard.version <= plan.lastVersion
  }

  /// A server has written its rows of a version. When all have, the checkpoint is committed.
  mutating func noteWritten(_ shard: CheckpointShard, at now: Double) -> [CoordinatorAction] {
    pending.note(shard, at: now)
    return commitNext()
  }

  /// A server could not write its rows of a version.
  mutating func noteFailure(
    _ message: String, of member: Members.Member, at version: UInt64
  ) -> [CoordinatorAction] {
    pending.noteFailure(ofRank: member.rank, at: version)
    return report(failure: "\(member.name) could not write version \(version): \(message)")
  }

  private mutating func report(failure message: String) -> [CoordinatorAction] {
    silence.end()
    return [.report(.checkpointFailed(message: message))]
  }

  // MARK: Commits

  /// Has the newest complete version committed, unless a commit is under way.
  mutating func commitNext() -> [CoordinatorAction] {
    pending.beginCommit(in: plan).map { [.commitCheckpoint($0)] } ?? []
  }

  /// A manifest is written.
  ///
  /// - Parameter generation: the current one.
  /// - Returns: how many seconds the checkpoint took since the first server had written its rows;
  ///   nil if this commit is not under way.
  mutating func noteCommitted(
    _ checkpoint: CommittedCheckpoint, in generation: UInt64, at now: Double
  ) -> Double? {
    guard
      let ended = pending.endCommit(
        of: checkpoint.version, isDone: true, generation: generation)
    else { return nil }
    lastManifest = checkpoint.manifest
    silence.end()
    return now - ended.since
  }

  /// A manifest could not be written.
  ///
  /// - Returns: nil if this commit is not under way.
  mutating func noteCommitFailed(
    of version: UInt64, _ message: String, in generation: UInt64
  ) -> [CoordinatorAction]? {
    let ended = pending.endCommit(of: version, isDone: false, generation: generation)
    return ended == nil ? nil : commitNext() + report(failure: message)
  }

  // MARK: As time passes

  /// Has useless files deleted, and warns when no checkpoint was made for long.
  ///
  /// - Parameter isExpecting: whether checkpoints should be made now: tasks are under way, and the
  ///   run is not about to stop.
  mutating func tick(
    members: Members, generation: UInt64, isExpecting: Bool, at now: Double
  ) -> [CoordinatorAction] {
    guard let interval = plan.checkpoints?.interval else { return [] }
    let reached = members.areServersReady ? members.lowestVersion : 0
    let discarded = pending.takeDiscarded(generation: generation, below: reached)
    var actions: [CoordinatorAction] = []
    if !discarded.isEmpty { actions.append(.discardCheckpointFiles(discarded)) }
    guard isExpecting,
      let passed = silence.isTooLong(
        at: reached, interval: interval, timeout: plan.timing.heartbeatTimeout, now: now)
    else { return actions }
    return actions + [
      .report(
        .checkpointOverdue(
          newest: newest, dueCount: passed, slowest: slowestWriter(of: members)))
    ]
  }

  /// The server whose last file is the oldest; nil if several are equally slow.
  private func slowestWriter(of members: Members) -> String? {
    let last = members.servers.compactMap { members[$0] }.map {
      (name: $0.name, version: pending.written[$0.rank] ?? 0)
    }
    guard let oldest = last.map(\.version).min() else { return nil }
    let slowest = last.filter { $0.version == oldest }
    return slowest.count == 1 && last.count > 1 ? slowest[0].name : nil
  }

  // MARK: Invariants

  /// Reports rules that do not hold; see `CoordinatorState.brokenInvariants`.
  func checkInvariants(in generation: UInt64, _ require: (Bool, String) -> Void) {
    require(pending.count <= PendingCheckpoints.limit, "few checkpoints are pending")
    require(
      pending.written.values.allSatisfy { $0 <= plan.lastVersion },
      "no server has written a version that the run does not have")
    guard let commit = pending.committing?.commit else { return }
    require(
      !commit.shards.contains { pending.discarded.contains($0) },
      "no file of a checkpoint that is committed is to be deleted")
    require(
      commit.shards.map(\.rank) == Array(0..<plan.serverCount),
      "a checkpoint that is committed has the rows of every server")
    require(
      commit.shards.allSatisfy {
        $0.version == commit.version && $0.generation == commit.generation
      }, "all rows of a checkpoint are of its version and generation")
    require(commit.generation <= generation, "no checkpoint is of a generation to come")
  }
}

/// Since when no report of a checkpoint has come, good or bad: servers may write versions that
/// never come together, and a disk that stalls reports nothing.
private struct CheckpointSilence: Sendable, Equatable {
  /// After how many due versions to warn first.
  private static let firstPatience: UInt64 = 4

  private struct Beginning: Sendable, Equatable {
    let version: UInt64
    let time: Double
  }

  private var since: Beginning?
  /// Doubles with every warning: a disk may be too slow for a whole run.
  private var patience = firstPatience

  /// A report has come, or a new generation begins.
  mutating func end() { since = nil }

  /// - Parameters:
  ///   - version: that all servers have reached.
  ///   - interval: from one version that is due to the next; 0: none is.
  ///   - timeout: how long to be patient at least, seconds.
  /// - Returns: how many due versions have passed, if that is worth a warning.
  mutating func isTooLong(
    at version: UInt64, interval: UInt64, timeout: Double, now: Double
  ) -> UInt64? {
    guard interval > 0 else { return nil }
    guard let since, version >= since.version else {
      self.since = Beginning(version: version, time: now)
      return nil
    }
    let passed = version / interval - since.version / interval
    guard passed >= patience, now - since.time > timeout else { return nil }
    patience = passed > .max / 2 ? .max : passed * 2
    return passed
  }
}
