/// Admits a node and describes the run. Sent for every generation.
package struct Welcome: Sendable, Equatable {
  package var runID: String
  package var generation: UInt64
  package var rank: UInt32
  /// The resolved configuration as YAML. With the data, it determines the run.
  package var configuration: String
  /// The tables of the run, in the order of their ids.
  package var tables: [TableDescription]
  package var seed: UInt64
  package var shardCount: UInt32
  /// Steps of an epoch, each of ``roundsPerStep`` versions.
  package var stepsPerEpoch: UInt32
  /// Versions of a step; more than one if an objective alternates between phases.
  package var roundsPerStep: UInt32
  package var serverCount: UInt32
  /// Seconds between two heartbeats of a node.
  package var heartbeatInterval: Double
  /// Where and when checkpoints are written; nil: none are written.
  package var checkpoints: CheckpointPlan?
  /// The checkpoint that the generation begins with; nil: the initial values, at version 0.
  package var restored: RestoredCheckpoint?

  package init(
    runID: String, generation: UInt64, rank: UInt32, configuration: String,
    tables: [TableDescription], seed: UInt64, shardCount: UInt32, stepsPerEpoch: UInt32,
    roundsPerStep: UInt32, serverCount: UInt32, heartbeatInterval: Double,
    checkpoints: CheckpointPlan? = nil, restored: RestoredCheckpoint? = nil
  ) {
    self.runID = runID
    self.generation = generation
    self.rank = rank
    self.configuration = configuration
    self.tables = tables
    self.seed = seed
    self.shardCount = shardCount
    self.stepsPerEpoch = stepsPerEpoch
    self.roundsPerStep = roundsPerStep
    self.serverCount = serverCount
    self.heartbeatInterval = heartbeatInterval
    self.checkpoints = checkpoints
    self.restored = restored
  }
}

/// Where and when servers write checkpoint files.
package struct CheckpointPlan: Sendable, Equatable {
  /// The folder that the coordinator and all servers share, or with several copies a folder on
  /// each machine's own disk.
  package var folder: String
  /// A version is written if it is a multiple of this; 0: only versions that the coordinator
  /// requests.
  package var interval: UInt64
  /// On how many servers' disks each server's rows are written; 1: the folder is shared.
  package var copies: UInt32

  package init(folder: String, interval: UInt64, copies: UInt32 = 1) {
    self.folder = folder
    self.interval = interval
    self.copies = copies
  }

  /// Whether every machine has a folder of its own, so that servers exchange their files.
  package var isCopied: Bool { copies > 1 }

  /// Whether servers write this version without a request.
  package func isDue(atVersion version: UInt64) -> Bool {
    interval > 0 && version > 0 && version % interval == 0
  }

  /// The next version after this one that servers write without a request; nil: there is none.
  package func nextDue(after version: UInt64) -> UInt64? {
    guard interval > 0 else { return nil }
    let (next, isTooLarge) = version.addingReportingOverflow(interval - version % interval)
    return isTooLarge ? nil : next
  }
}

/// The checkpoint that a generation begins with.
package struct RestoredCheckpoint: Sendable, Equatable {
  /// The path of the manifest relative to ``CheckpointPlan/folder``.
  package var manifest: String
  package var version: UInt64
  /// The manifest's text, for servers that do not share the folder; otherwise empty.
  package var content: String

  package init(manifest: String, version: UInt64, content: String = "") {
    self.manifest = manifest
    self.version = version
    self.content = content
  }
}

/// The wire form of a `TableSpec`; the parameter server's `TableSpec+Wire` encodes the rule and the
/// initial values.
package struct TableDescription: Sendable, Equatable {
  package var name: String
  package var rows: UInt64
  package var width: UInt32
  package var rowsPerBlock: UInt32
  /// `constant`, `uniform`, `normal` or `pushed`, with its number in `initializerValue`.
  package var initializer: String
  package var initializerValue: Float
  /// `model`, `discriminator`, `average` (rate in `ruleValue`) or `assigned`.
  package var rule: String
  package var ruleValue: Float

  package init(
    name: String, rows: UInt64, width: UInt32, rowsPerBlock: UInt32, initializer: String,
    initializerValue: Float, rule: String, ruleValue: Float
  ) {
    self.name = name
    self.rows = rows
    self.width = width
    self.rowsPerBlock = rowsPerBlock
    self.initializer = initializer
    self.initializerValue = initializerValue
    self.rule = rule
    self.ruleValue = ruleValue
  }
}
