import Foundation
public import Messages

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension CheckpointStore {
  /// Deletes checkpoints that are not needed any more, and what never became one.
  ///
  /// Checkpoints whose manifest cannot be relied on do not count among those that are kept. They
  /// stay if they are newer than the oldest of those, to be looked at. Files that servers are
  /// writing are those of a version that is newer than every checkpoint, and stay.
  ///
  /// - Parameters:
  ///   - keepLast: how many of the newest checkpoints stay; at least one does.
  ///   - keeping: versions that stay, however old.
  /// - Returns: what was deleted.
  /// - Throws: ``CheckpointError`` when something cannot be deleted; the rest was.
  @discardableResult
  public func prune(
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
    if let failure { throw failure }
    return deleted
  }

  /// Deletes files of servers that no checkpoint is made of, and the folders that are empty then.
  /// Others may still be writing into the same folders. What has a manifest stays.
  ///
  /// - Parameter serverCount: of the servers that wrote them.
  /// - Throws: ``CheckpointError`` when something cannot be deleted; the rest was.
  public func discard(
    _ shards: [CheckpointShard], serverCount: Int
  ) throws(CheckpointError) {
    var failure: CheckpointError?
    for shard in shards {
      let name = CheckpointName(generation: shard.generation, version: shard.version)
      guard access("\(folder)/\(name.manifest)", F_OK) != 0, errno == ENOENT else { continue }
      let file = CheckpointName.shardFile(rank: Int(shard.rank), serverCount: serverCount)
      let path = "\(folder)/\(name.folder)/\(file)"
      if unlink(path) != 0, errno != ENOENT {
        failure = failure ?? .system("delete '\(path)'", errno: errno)
      }
      rmdir("\(folder)/\(name.folder)")
    }
    if let failure { throw failure }
  }

  /// Deletes a checkpoint: first the manifest, so that what a crash leaves over is none.
  private func delete(_ name: CheckpointName) throws(CheckpointError) {
    let path = "\(folder)/\(name.folder)"
    guard unlink("\(folder)/\(name.manifest)") == 0 || errno == ENOENT else {
      throw .system("delete '\(folder)/\(name.manifest)'", errno: errno)
    }
    try DurableFile.synchronizeFolder(path)
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw CheckpointError(
        .inputOutput, "Cannot delete '\(path)': \(error.localizedDescription)")
    }
  }
}
