import Protocol

extension CheckpointStore {
  /// Deletes old checkpoints and files that never became part of one.
  ///
  /// Checkpoints with an unusable manifest do not count among those that are kept. If they are
  /// newer than the oldest kept one, they stay for inspection. Files of versions newer than every
  /// checkpoint stay, because servers may be writing them.
  ///
  /// - Parameters:
  ///   - keepLast: how many of the newest checkpoints to keep; at least one is kept.
  ///   - keeping: versions to keep, however old.
  /// - Returns: the deleted checkpoints.
  /// - Throws: ``CheckpointError`` when some cannot be deleted; all others are deleted.
  @discardableResult
  package func prune(
    keepLast: Int, keeping: Set<UInt64> = []
  ) throws(CheckpointError) -> [CheckpointName] {
    let entries = try list()
    let committed = entries.filter { $0.manifest != nil }.map(\.name)
    guard let newest = committed.first else { return [] }
    let kept = Set(committed.prefix(max(1, keepLast)))
    guard let oldest = kept.min() else { return [] }
    var deleted: [CheckpointName] = []
    var failure: CheckpointError?
    for entry in entries {
      let isNeeded =
        switch entry.content {
        case .committed: kept.contains(entry.name) || keeping.contains(entry.name.version)
        case .unusable: entry.name > oldest
        case .uncommitted: entry.name > newest
        }
      guard !isNeeded else { continue }
      do throws(CheckpointError) {
        try delete(entry.name)
        deleted.append(entry.name)
      } catch {
        failure = failure ?? error
      }
    }
    do throws(CheckpointError) {
      try storage.deleteUnfinished(through: newest)
    } catch {
      failure = failure ?? error
    }
    if let failure { throw failure }
    return deleted
  }

  /// Deletes files of servers that will not become part of a checkpoint, and folders that are empty
  /// afterwards. Other servers may still be writing into the same folders. Folders with a manifest
  /// are kept.
  ///
  /// - Parameter serverCount: the number of servers that wrote them.
  /// - Throws: ``CheckpointError`` when some cannot be deleted; all others are deleted.
  package func discard(
    _ shards: [CheckpointShard], serverCount: Int
  ) throws(CheckpointError) {
    var failure: CheckpointError?
    for shard in shards {
      let name = CheckpointName(generation: shard.generation, version: shard.version)
      guard !hasManifest(name) else { continue }
      let file = CheckpointName.shardFile(rank: Int(shard.rank), serverCount: serverCount)
      do throws(CheckpointError) {
        try storage.delete("\(name.folder)/\(file)")
      } catch {
        failure = failure ?? error
      }
      storage.deleteEmpty(name)
    }
    if let failure { throw failure }
  }

  /// Deletes a checkpoint: the manifest first, so that after a crash the rest is no checkpoint.
  private func delete(_ name: CheckpointName) throws(CheckpointError) {
    try storage.delete(name.manifest)
    try storage.deleteFiles(of: name)
  }
}
