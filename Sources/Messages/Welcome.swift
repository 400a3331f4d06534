/// Admits a node and describes the run. Sent for every generation.
public struct Welcome: Sendable, Equatable {
  public var runID: String
  public var generation: UInt64
  public var rank: UInt32
  /// The resolved configuration as YAML. With the data, it determines the run.
  public var configuration: String
  /// The tables of the run, in the order of their ids.
  public var tables: [TableDescription]
  public var seed: UInt64
  public var shardCount: UInt32
  /// Steps of an epoch, each of ``roundsPerStep`` versions.
  public var stepsPerEpoch: UInt32
  /// Versions of a step; more than one if an objective alternates between phases.
  public var roundsPerStep: UInt32
  public var serverCount: UInt32
  /// Seconds between two heartbeats of a node.
  public var heartbeatInterval: Double
  /// Where and when checkpoints are written; nil: none are written.
  public var checkpoints: CheckpointPlan?
  /// The checkpoint that the generation begins with; nil: the initial values, at version 0.
  public var restored: RestoredCheckpoint?

  public init(
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
public struct CheckpointPlan: Sendable, Equatable {
  /// The folder that the coordinator and all servers share.
  public var folder: String
  /// A version is written if it is a multiple of this; 0: only versions that the coordinator
  /// requests.
  public var interval: UInt64

  public init(folder: String, interval: UInt64) {
    self.folder = folder
    self.interval = interval
  }

  /// Whether servers write this version without a request.
  public func isDue(atVersion version: UInt64) -> Bool {
    interval > 0 && version > 0 && version % interval == 0
  }

  /// The next version after this one that servers write without a request; nil: there is none.
  public func nextDue(after version: UInt64) -> UInt64? {
    guard interval > 0 else { return nil }
    let (next, isTooLarge) = version.addingReportingOverflow(interval - version % interval)
    return isTooLarge ? nil : next
  }
}

/// The checkpoint that a generation begins with.
public struct RestoredCheckpoint: Sendable, Equatable {
  /// The path of the manifest relative to ``CheckpointPlan/folder``.
  public var manifest: String
  public var version: UInt64

  public init(manifest: String, version: UInt64) {
    self.manifest = manifest
    self.version = version
  }
}

/// The wire form of a `TableSpec`; the parameter server's `TableSpec+Wire` encodes the rule and the
/// initial values.
public struct TableDescription: Sendable, Equatable {
  public var name: String
  public var rows: UInt64
  public var width: UInt32
  public var rowsPerBlock: UInt32
  /// `constant`, `uniform`, `normal` or `pushed`, with its number in `initializerValue`.
  public var initializer: String
  public var initializerValue: Float
  /// `model`, `discriminator`, `average` (rate in `ruleValue`) or `assigned`.
  public var rule: String
  public var ruleValue: Float

  public init(
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
