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
    checkpoints.drop(version)
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
    [.report(.checkpointFailed(message: message))] + settleCheckpoint(of: version)
  }
}
