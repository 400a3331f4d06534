/// What nodes (workers and servers) exchange with the coordinator.

public enum NodeRole: UInt32, Sendable {
  case worker = 1
  case server = 2
}

/// First message of a node.
public struct NodeHello: Sendable, Equatable {
  public var role: NodeRole
  /// Fresh for every start of a process; the coordinator's name for it until it has a rank.
  public var incarnation: UInt64
  /// Empty: whatever run the coordinator has.
  public var runID: String
  /// Where a server answers workers, such as `tcp://10.0.0.7:40001`; empty for a worker.
  public var dataEndpoint: String
  public var host: String
  public var processID: UInt32

  public init(
    role: NodeRole, incarnation: UInt64, runID: String, dataEndpoint: String, host: String,
    processID: UInt32
  ) {
    self.role = role
    self.incarnation = incarnation
    self.runID = runID
    self.dataEndpoint = dataEndpoint
    self.host = host
    self.processID = processID
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

  public init(
    residentBytes: UInt64, peakResidentBytes: UInt64, cpuSeconds: Double, taskProgress: UInt64,
    taskID: UInt64 = 0
  ) {
    self.residentBytes = residentBytes
    self.peakResidentBytes = peakResidentBytes
    self.cpuSeconds = cpuSeconds
    self.taskProgress = taskProgress
    self.taskID = taskID
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
  /// The node has set itself up (a worker: data loaded, servers reached; a server: tables made).
  case ready
  case taskDone(id: UInt64, reports: [UnitReport])
  case taskFailed(id: UInt64, TaskFailure)
  case goodbye(reason: String)
}

/// What a node needs to know of the run.
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
  /// Versions that the tables pass through in one epoch.
  public var stepsPerEpoch: UInt32
  /// Contributions of every shard that make one step (the alternating phases of an objective).
  public var roundsPerStep: UInt32
  public var serverCount: UInt32
  /// Seconds between two heartbeats of a node.
  public var heartbeatInterval: Double

  public init(
    runID: String, generation: UInt64, rank: UInt32, configuration: String,
    tables: [TableDescription], seed: UInt64, shardCount: UInt32, stepsPerEpoch: UInt32,
    roundsPerStep: UInt32, serverCount: UInt32, heartbeatInterval: Double
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
  /// Compute the gradients of `shards` in every step of an epoch. The epoch's first version is
  /// `firstVersion`; `learningRateScale` is informative (servers hold the schedule).
  case train(epoch: UInt32, firstVersion: UInt64, shards: [UInt32])
  /// Compute blocks of the final item (and user) matrices and push them as `assign`.
  case materialize(version: UInt64, epoch: UInt32, blocks: [UInt32])
  /// Rank all items for blocks of users and report metric sums per block.
  case rank(version: UInt64, epoch: UInt32, blocks: [UInt32])
}

public struct WorkerTask: Sendable, Equatable {
  public var id: UInt64
  public var body: TaskBody

  public init(id: UInt64, body: TaskBody) {
    self.id = id
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
}
