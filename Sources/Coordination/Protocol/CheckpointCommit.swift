import Messages

/// A checkpoint of which every server has written its rows, and which exists once its manifest
/// does.
public struct CheckpointCommit: Sendable, Equatable {
  public var generation: UInt64
  public var version: UInt64
  /// The epoch that the version belongs to: the one that is trained from it on.
  public var epoch: UInt32
  /// Of that epoch, counted from 0.
  public var step: UInt32
  /// Of all servers, by rank.
  public var shards: [CheckpointShard]

  public init(
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
public struct CommittedCheckpoint: Sendable, Equatable {
  public var version: UInt64
  public var generation: UInt64
  /// The epoch that the version belongs to.
  public var epoch: UInt32
  /// Relative to the folder of the checkpoints.
  public var manifest: String
  /// When, as ISO 8601 text.
  public var created: String

  public init(
    version: UInt64, generation: UInt64, epoch: UInt32, manifest: String, created: String
  ) {
    self.version = version
    self.generation = generation
    self.epoch = epoch
    self.manifest = manifest
    self.created = created
  }
}
