import Messages

extension CoordinatorState {
  /// A server's rows of a version are in a file; when all servers' are, the checkpoint can be
  /// published.
  mutating func handleCheckpointWritten(
    _ shard: CheckpointShard, from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    guard let member = membership[node], member.role == .server else { return ignore() }
    // Seen, even if it comes too late to be of use: it would be said again for ever.
    let seen = CoordinatorAction.send(
      .checkpointSeen(generation: shard.generation, version: shard.version), to: node)
    guard shard.generation == generation, member.isReady, shard.rank == member.rank,
      shard.version > 0, shard.version <= plan.lastVersion
    else { return [seen] + ignore() }
    checkpoints.note(shard, at: now)
    return [seen] + commitComplete()
  }

  mutating func handleCheckpointFailed(
    generation: UInt64, version: UInt64, _ message: String, from node: NodeID
  ) -> [CoordinatorAction] {
    guard generation == self.generation, let member = membership[node], member.role == .server
    else { return ignore() }
    checkpoints.noteFailure(ofRank: member.rank, at: version)
    return report(
      failedCheckpoint: version, "\(member.name) could not write version \(version): \(message)")
  }

  mutating func handleCheckpointCommitted(
    _ checkpoint: CommittedCheckpoint, at now: Double
  ) -> [CoordinatorAction] {
    let version = checkpoint.version
    guard
      let ended = checkpoints.endCommit(of: version, isDone: true, generation: generation)
    else { return ignore() }
    lastManifest = checkpoint.manifest
    checkpointSilence.end()
    return [
      record(.checkpointCommitted(checkpoint)),
      .report(.checkpointCommitted(version: version, seconds: now - ended.since)),
    ] + commitComplete() + settleCheckpoint(of: version)
  }

  mutating func handleCheckpointCommitFailed(
    version: UInt64, _ message: String
  ) -> [CoordinatorAction] {
    guard checkpoints.endCommit(of: version, isDone: false, generation: generation) != nil else {
      return ignore()
    }
    return commitComplete() + report(failedCheckpoint: version, message)
  }

  private mutating func commitComplete() -> [CoordinatorAction] {
    checkpoints.beginCommit(in: plan).map { [.commitCheckpoint($0)] } ?? []
  }

  private mutating func report(
    failedCheckpoint version: UInt64, _ message: String
  ) -> [CoordinatorAction] {
    checkpointSilence.end()
    return [.report(.checkpointFailed(message: message))] + settleCheckpoint(of: version)
  }

  // MARK: As time passes

  /// Has files deleted that no checkpoint is made of, and warns when none was made for long.
  mutating func tendCheckpoints(at now: Double) -> [CoordinatorAction] {
    guard !isEnded, let interval = plan.checkpoints?.interval else { return [] }
    let reached = membership.areServersReady ? membership.lowestVersion : 0
    let discarded = checkpoints.takeDiscarded(generation: generation, below: reached)
    var actions: [CoordinatorAction] = []
    if !discarded.isEmpty { actions.append(.discardCheckpointFiles(discarded)) }
    guard work != nil, stop == nil,
      let passed = checkpointSilence.isTooLong(
        at: reached, interval: interval, timeout: plan.timing.heartbeatTimeout, now: now)
    else { return actions }
    return actions + [
      .report(
        .checkpointOverdue(
          newest: checkpoints.newest, dueCount: passed, slowest: slowestWriter))
    ]
  }

  /// The server whose last file is the oldest; nil if that is no one in particular.
  private var slowestWriter: String? {
    let last = membership.servers.compactMap { membership[$0] }.map {
      (name: $0.name, version: checkpoints.written[$0.rank] ?? 0)
    }
    guard let oldest = last.map(\.version).min() else { return nil }
    let slowest = last.filter { $0.version == oldest }
    return slowest.count == 1 && last.count > 1 ? slowest[0].name : nil
  }
}
