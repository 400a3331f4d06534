/// What a server has on its disk, for a coordinator whose own disk was lost.
package struct DiskReport: Sendable, Equatable {
  /// Where other processes reach the server.
  package var dataEndpoint: String
  /// The highest term that the server knows.
  package var term: UInt64
  /// The highest generation of its tables and of the checkpoints on its disk.
  package var generation: UInt64
  /// Copies of coordinators' records, of each run the newest.
  package var records: [HeldRecords]

  package init(
    dataEndpoint: String, term: UInt64 = 0, generation: UInt64 = 0, records: [HeldRecords] = []
  ) {
    self.dataEndpoint = dataEndpoint
    self.term = term
    self.generation = generation
    self.records = records
  }
}

/// A copy of a coordinator's records, as of a checkpoint.
package struct HeldRecords: Sendable, Equatable {
  package var runID: String
  /// Of the checkpoint.
  package var generation: UInt64
  /// Of the checkpoint.
  package var version: UInt64
  /// Of the file.
  package var byteCount: UInt64
  /// Of the file, as ``CheckpointShard/digest``.
  package var digest: String
  /// Of the run's settings.
  package var configurationDigest: String
  /// Of the run's data set.
  package var dataDigest: String
  package var epochsFinished: UInt32
  /// Whether the run has come to its end.
  package var isOver: Bool

  package init(
    runID: String, generation: UInt64, version: UInt64, byteCount: UInt64, digest: String,
    configurationDigest: String, dataDigest: String, epochsFinished: UInt32, isOver: Bool
  ) {
    self.runID = runID
    self.generation = generation
    self.version = version
    self.byteCount = byteCount
    self.digest = digest
    self.configurationDigest = configurationDigest
    self.dataDigest = dataDigest
    self.epochsFinished = epochsFinished
    self.isOver = isOver
  }
}
