/// What nodes (workers and servers) exchange with the coordinator.

public enum NodeRole: UInt32, Sendable {
  case worker = 1
  case server = 2
}

/// First message of a node.
public struct NodeHello: Sendable, Equatable {
  public var role: NodeRole
  /// Fresh for every start of a process, and greater than those of earlier processes that went by
  /// the same ``name``; the coordinator's name for it until it has a rank.
  public var incarnation: UInt64
  /// Empty: whatever run the coordinator has.
  public var runID: String
  /// Where a server answers workers, such as `tcp://10.0.0.7:40001`; empty for a worker.
  public var dataEndpoint: String
  public var host: String
  public var processID: UInt32
  /// The same for all processes that replace each other, such as `server-0`: the coordinator then
  /// need not wait until it is sure that the one before is dead. Empty for a process without one.
  public var name: String
  /// What the process still has of the run; nil for one that has not been part of it.
  public var holding: Holding?

  public init(
    role: NodeRole, incarnation: UInt64, runID: String, dataEndpoint: String, host: String,
    processID: UInt32, name: String = "", holding: Holding? = nil
  ) {
    self.role = role
    self.incarnation = incarnation
    self.runID = runID
    self.dataEndpoint = dataEndpoint
    self.host = host
    self.processID = processID
    self.name = name
    self.holding = holding
  }
}

/// What a node has of a run, for a coordinator that has started anew.
public struct Holding: Sendable, Equatable {
  public var generation: UInt64
  public var rank: UInt32
  /// Of a server's tables; 0 for a worker.
  public var version: UInt64

  public init(generation: UInt64, rank: UInt32, version: UInt64) {
    self.generation = generation
    self.rank = rank
    self.version = version
  }
}

/// A node's sign of life, with what it uses.
public struct Heartbeat: Sendable, Equatable {
  public var residentBytes: UInt64
  public var peakResidentBytes: UInt64
  public var cpuSeconds: Double
  /// Of the task under way: what is done of it (steps, blocks). 0 without a task.
  public var taskProgress: UInt64
  /// The task under way; 0 without one. A task that the coordinator gave and that is not named
  /// was lost on its way, or its end was.
  public var taskID: UInt64
  /// That the node belongs to; 0 before the first.
  public var generation: UInt64
  /// Of a server's tables in that generation; 0 for a worker.
  public var version: UInt64

  public init(
    residentBytes: UInt64, peakResidentBytes: UInt64, cpuSeconds: Double, taskProgress: UInt64,
    taskID: UInt64 = 0, generation: UInt64 = 0, version: UInt64 = 0
  ) {
    self.residentBytes = residentBytes
    self.peakResidentBytes = peakResidentBytes
    self.cpuSeconds = cpuSeconds
    self.taskProgress = taskProgress
    self.taskID = taskID
    self.generation = generation
    self.version = version
  }
}

/// Named sums that a task reports: loss terms, metrics. Added by the coordinator in the order of
/// their units (shards, blocks), so that the totals do not depend on who computed them.
public struct UnitReport: Sendable, Equatable {
  /// The shard or block that the sums are of.
  public var unit: UInt32
  public var sums: [String: Double]

  public init(unit: UInt32, sums: [String: Double]) {
    self.unit = unit
    self.sums = sums
  }
}

/// Why a node could not do a task.
public struct TaskFailure: Sendable, Equatable, Error {
  public enum Kind: UInt32, Sendable {
    /// Something was missing or wrong.
    case failed = 0
    /// The loss is not a finite number any more: another try would come to the same.
    case diverged = 1
  }

  public var kind: Kind
  public var message: String

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}

public enum NodeMessage: Sendable, Equatable {
  case hello(NodeHello)
  case heartbeat(Heartbeat)
  /// The node has set itself up for a generation (a worker: data loaded, servers reached; a
  /// server: tables made or restored).
  case ready(generation: UInt64)
  case taskDone(id: UInt64, reports: [UnitReport])
  case taskFailed(id: UInt64, TaskFailure)
  case goodbye(reason: String)
  /// A server's tables stay at this version: the answer to
  /// ``CoordinatorMessage/hold(generation:)``.
  case held(generation: UInt64, version: UInt64)
  /// A server's rows are in a file; said with every heartbeat until it was seen.
  case checkpointWritten(CheckpointShard)
  /// A server could not write its rows of a version; it goes on without.
  case checkpointFailed(generation: UInt64, version: UInt64, message: String)
}

/// The file with one server's rows of one version.
public struct CheckpointShard: Sendable, Equatable {
  public var generation: UInt64
  public var version: UInt64
  public var rank: UInt32
  /// Relative to the folder of the checkpoints.
  public var file: String
  public var byteCount: UInt64
  /// Of the file's bytes, hexadecimal.
  public var digest: String

  public init(
    generation: UInt64, version: UInt64, rank: UInt32, file: String, byteCount: UInt64,
    digest: String
  ) {
    self.generation = generation
    self.version = version
    self.rank = rank
    self.file = file
    self.byteCount = byteCount
    self.digest = digest
  }
}

/// What a node needs to know of the run. One comes for every generation.
public struct Welcome: Sendable, Equatable {
  public var runID: String
  public var generation: UInt64
  public var rank: UInt32
  /// The resolved configuration, YAML. Everything else about the run follows from it and the data.
  public var configuration: String
  /// The tables of the run, in the order of their ids.
  public var tables: [TableDescription]
  public var seed: UInt64
  public var shardCount: UInt32
  /// Steps of an epoch, each of ``roundsPerStep`` versions.
  public var stepsPerEpoch: UInt32
  /// Contributions of every shard that make one step (the alternating phases of an objective).
  public var roundsPerStep: UInt32
  public var serverCount: UInt32
  /// Seconds between two heartbeats of a node.
  public var heartbeatInterval: Double
  /// Where checkpoints are written; nil: nowhere.
  public var checkpoints: CheckpointPlan?
  /// What the generation begins with; nil: the initial values, at version 0.
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

/// Where and when servers write their rows.
public struct CheckpointPlan: Sendable, Equatable {
  /// The same folder for the coordinator and all servers.
  public var folder: String
  /// A version is written if it is a multiple of this; 0: only versions that the coordinator names.
  public var interval: UInt64

  public init(folder: String, interval: UInt64) {
    self.folder = folder
    self.interval = interval
  }

  /// Whether servers write this version without being asked.
  public func isDue(atVersion version: UInt64) -> Bool {
    interval > 0 && version > 0 && version % interval == 0
  }

  /// The next version after this one that servers write without being asked; nil: there is none.
  public func nextDue(after version: UInt64) -> UInt64? {
    guard interval > 0 else { return nil }
    let (next, isTooLarge) = version.addingReportingOverflow(interval - version % interval)
    return isTooLarge ? nil : next
  }
}

/// The checkpoint that a generation begins with.
public struct RestoredCheckpoint: Sendable, Equatable {
  /// Relative to ``CheckpointPlan/folder``.
  public var manifest: String
  public var version: UInt64

  public init(manifest: String, version: UInt64) {
    self.manifest = manifest
    self.version = version
  }
}

/// A table as it travels: the fields of `TableSpec`, with the rule and the initial values encoded
/// by the parameter server's `TableSpec+Wire`.
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

/// Work that the coordinator gives to one worker.
public enum TaskBody: Sendable, Equatable {
  /// Compute the gradients of `shards` in every step of an epoch, whose first version is
  /// `firstVersion`, from `startVersion` on: every server has reached that one. Servers that are
  /// beyond it say so, and the worker goes on from where they are.
  case train(epoch: UInt32, firstVersion: UInt64, startVersion: UInt64, shards: [UInt32])
  /// Compute blocks of the final item (and user) matrices and push them as `assign`.
  case materialize(version: UInt64, epoch: UInt32, blocks: [UInt32])
  /// Rank all items for blocks of users and report metric sums per block.
  case rank(version: UInt64, epoch: UInt32, blocks: [UInt32])
}

/// Ids ascend: a task replaces the one that the worker has.
public struct WorkerTask: Sendable, Equatable {
  public var id: UInt64
  public var generation: UInt64
  public var body: TaskBody

  public init(id: UInt64, generation: UInt64, body: TaskBody) {
    self.id = id
    self.generation = generation
    self.body = body
  }
}

/// What the end of a run means for whoever starts its nodes.
public enum RunEnding: UInt32, Sendable {
  /// It came to its end, or was asked to.
  case orderly = 0
  /// It failed, and starting it again can help.
  case transientFailure = 1
  /// It failed, and starting it again cannot help.
  case permanentFailure = 2
}

public enum CoordinatorMessage: Sendable, Equatable {
  case welcome(Welcome)
  /// All servers are up: where they answer, in rank order.
  case servers(generation: UInt64, endpoints: [String])
  case task(WorkerTask)
  case heartbeatSeen(generation: UInt64)
  /// The run is over (or given up); leave.
  case finish(reason: String, ending: RunEnding)
  case refused(Refusal)
  /// To servers: do not go beyond the version that the tables have, and say which one that is.
  case hold(generation: UInt64)
  /// To servers: go up to this version and no further, and write the rows of it.
  case checkpoint(generation: UInt64, version: UInt64)
  /// To servers: the file of this version was heard of.
  case checkpointSeen(generation: UInt64, version: UInt64)
}

/// What a coordinator says, and in which of its terms: every start of a coordinator has a higher
/// one, and nodes obey only the highest that they have heard of.
public struct CoordinatorLetter: Sendable, Equatable {
  public var term: UInt64
  public var message: CoordinatorMessage

  public init(term: UInt64, message: CoordinatorMessage) {
    self.term = term
    self.message = message
  }
}
