internal import ForeignText
public import ParameterServer
import Tables

/// A checkpoint as pulls of its version show it, whichever servers wrote it.
public struct CheckpointView {
  public let manifest: CheckpointManifest
  let shards: [CheckpointShardFile]
  let catchUp: StoredRowCatchUp

  /// Opens a checkpoint and compares its files with their digests.
  ///
  /// - Parameters:
  ///   - folder: of all checkpoints.
  ///   - optimizer: that the manifest's configuration asks for.
  /// - Throws: ``CheckpointError`` if a file is missing, damaged or of another checkpoint, or if
  ///   the states are another optimizer's;
  ///   `ParameterServerError` if the optimizer cannot be the run's.
  public init(
    _ manifest: CheckpointManifest, in folder: String, optimizer: OptimizerConfiguration
  ) throws {
    self.manifest = manifest
    guard manifest.optimizer == optimizer.description else {
      throw CheckpointError(
        .mismatch,
        "Cannot use '\(folder)/\(manifest.name.manifest)': it says that the optimizer was "
          + "\(manifest.optimizer.summary.shown()), and its configuration asks for "
          + "\(optimizer.description.summary); use another checkpoint.")
    }
    shards = try manifest.shards.indices.map { rank in
      let shard = try CheckpointShardFile(manifest, rank: rank, folder: folder)
      try shard.verifyDigest()
      return shard
    }
    catchUp = try StoredRowCatchUp(
      optimizer: optimizer, schedule: manifest.schedule, version: manifest.version)
  }

  /// What belongs to each row of a table.
  func shape(of table: CheckpointManifest.Table) -> TableShape { manifest.shape(of: table) }

  /// How many rows of a table are about a megabyte; at least one.
  func windowRows(of table: CheckpointManifest.Table) -> Int {
    max(1, min(table.rows, (1 << 20) / RowBuffer.byteCount(shape(of: table))))
  }
}
