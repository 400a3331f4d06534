import Files
import Foundation
import ParameterServer
import Protocol

/// Reads a server's rows from a checkpoint that any number of servers wrote.
///
/// A file is compared with its digest before its first rows are returned. Rows are read in parts,
/// so that the memory does not depend on the size of the checkpoint.
package final class CheckpointReader: CheckpointSource {
  package let manifest: CheckpointManifest
  package let epochSums: [UnitReport]
  private let shards: [CheckpointShardFile]
  private var verifiedRanks: Set<Int> = []

  package var version: UInt64 { manifest.version }
  package var optimizer: OptimizerDescription { manifest.optimizer }

  /// Opens a checkpoint.
  ///
  /// - Parameter ranks: whose files are read; nil: all.
  /// - Throws: ``CheckpointError`` if a file is missing, damaged or of another checkpoint.
  package init(
    _ manifest: CheckpointManifest, in store: CheckpointStore, ranks: Range<Int>? = nil
  ) throws(CheckpointError) {
    self.manifest = manifest
    var shards: [CheckpointShardFile] = []
    for rank in ranks ?? manifest.shards.indices {
      shards.append(try CheckpointShardFile(manifest, rank: rank, in: store.storage))
    }
    self.shards = shards
    epochSums = try shards.first { $0.rank == 0 }?.epochSums() ?? []
  }

  /// Opens the checkpoint that a generation begins with.
  ///
  /// - Parameters:
  ///   - store: the store of the run's checkpoints.
  ///   - runID: the run that resumes from it.
  /// - Throws: ``CheckpointError``, also if it belongs to another run or version.
  package convenience init(
    _ restored: RestoredCheckpoint, in store: CheckpointStore, runID: String
  ) throws(CheckpointError) {
    try self.init(try Self.manifest(restored, in: store, runID: runID), in: store)
  }

  /// The manifest of the checkpoint that a generation begins with.
  package static func manifest(
    _ restored: RestoredCheckpoint, in store: CheckpointStore, runID: String
  ) throws(CheckpointError) -> CheckpointManifest {
    let manifest = try manifest(of: restored, in: store)
    guard manifest.runID == runID, manifest.version == restored.version else {
      throw CheckpointError(
        .mismatch,
        "Cannot resume from '\(store.storage.path(of: restored.manifest))' at version "
          + "\(restored.version) of run '\(runID)': it is of "
          + "version \(manifest.version) of run '\(manifest.runID.sanitized())'. Name the run that "
          + "wrote it."
      )
    }
    return manifest
  }

  /// The manifest with this path: from its text, or if that is empty from the store.
  package static func manifest(
    of restored: RestoredCheckpoint, in store: CheckpointStore
  ) throws(CheckpointError) -> CheckpointManifest {
    let parts = restored.manifest.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let name = CheckpointName(folder: String(parts[0])),
      name.manifest == restored.manifest
    else {
      throw CheckpointError(
        .mismatch,
        "Cannot resume from '\(restored.manifest)': a checkpoint is named like "
          + "'\(CheckpointName(generation: 1, version: 0).manifest)'. Use the same release of "
          + "mrdib on all machines.")
    }
    return restored.content.isEmpty
      ? try CheckpointManifest.read(restored.manifest, in: store.storage)
      : try CheckpointManifest.parse(
        Data(restored.content.utf8), of: restored.manifest,
        path: store.storage.path(of: restored.manifest))
  }

  package func readRows(
    of table: TableShape, where isWanted: (UInt32) -> Bool, _ body: (StoredRows) throws -> Void
  ) throws {
    guard manifest.tables.contains(where: { $0.name == table.name }) else {
      throw CheckpointError(
        .mismatch,
        "Cannot resume from version \(version): the checkpoint has no table "
          + "'\(table.name.sanitized())'. Resume with the configuration that the run began with.")
    }
    for shard in shards {
      try readRows(of: try shard.table(table), from: shard, where: isWanted, body)
    }
  }

  private func readRows(
    of table: CheckpointShardFile.Table, from shard: CheckpointShardFile,
    where isWanted: (UInt32) -> Bool, _ body: (StoredRows) throws -> Void
  ) throws {
    let buffer = RowBuffer(table.shape, atMost: table.rowCount)
    let file = try shard.open()
    var previous: UInt32?
    for start in stride(from: 0, to: table.rowCount, by: buffer.capacity) {
      let positions = start..<min(start + buffer.capacity, table.rowCount)
      try shard.readIDs(of: table, at: positions, after: previous, into: buffer, file: file)
      previous = buffer.ids[positions.count - 1]
      guard (0..<positions.count).contains(where: { isWanted(buffer.ids[$0]) }) else { continue }
      try verify(shard)
      try shard.readParts(of: table, at: positions, into: buffer, file: file)
      try body(buffer.rows(positions.count))
    }
    withExtendedLifetime(buffer) {}
  }

  private func verify(_ shard: CheckpointShardFile) throws(CheckpointError) {
    guard !verifiedRanks.contains(shard.rank) else { return }
    try shard.verifyDigest()
    verifiedRanks.insert(shard.rank)
  }
}
