/// What a coordinator wants to know of a server's disk.
package struct DiskQuestion: Sendable, Equatable {
  /// A checkpoint of a run.
  package struct Checkpoint: Sendable, Hashable {
    package var generation: UInt64
    package var version: UInt64

    package init(generation: UInt64, version: UInt64) {
      self.generation = generation
      self.version = version
    }
  }

  /// Of the checkpoints of all runs, unless the server has a folder of its own.
  package var folder: String
  /// The run whose files are looked for; empty: only copies of records, of all runs.
  package var runID: String
  /// The checkpoints of that run whose files are looked for.
  package var checkpoints: [Checkpoint]

  package init(folder: String, runID: String = "", checkpoints: [Checkpoint] = []) {
    self.folder = folder
    self.runID = runID
    self.checkpoints = checkpoints
  }
}

/// What a server has on its disk, for a coordinator whose own disk was lost, or that looks for the
/// newest checkpoint of which all files are there.
package struct DiskReport: Sendable, Equatable {
  /// Where other processes reach the server.
  package var dataEndpoint: String
  /// The highest term that the server knows.
  package var term: UInt64
  /// The highest generation of its tables and of the checkpoints on its disk.
  package var generation: UInt64
  /// Copies of coordinators' records, of each run the newest.
  package var records: [HeldRecords]
  /// Undamaged files of the checkpoints that were asked for.
  package var rows: [HeldRows]

  package init(
    dataEndpoint: String, term: UInt64 = 0, generation: UInt64 = 0, records: [HeldRecords] = [],
    rows: [HeldRows] = []
  ) {
    self.rows = rows
    self.dataEndpoint = dataEndpoint
    self.term = term
    self.generation = generation
    self.records = records
  }
}

/// A file of a checkpoint with the rows of a server.
package struct HeldRows: Sendable, Hashable {
  package var generation: UInt64
  package var version: UInt64
  /// Of the server that wrote it.
  package var rank: UInt32
  /// Of the file, as ``CheckpointShard/digest``.
  package var digest: String

  package init(generation: UInt64, version: UInt64, rank: UInt32, digest: String) {
    self.generation = generation
    self.version = version
    self.rank = rank
    self.digest = digest
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
