/// What a node (worker or server) tells the coordinator.
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
  /// With which kernels a worker's products are computed, such as `SkylakeX`: they decide the bits.
  /// Empty where it is not known.
  public var kernels: String

  public init(
    role: NodeRole, incarnation: UInt64, runID: String, dataEndpoint: String, host: String,
    processID: UInt32, name: String = "", holding: Holding? = nil, kernels: String = ""
  ) {
    self.role = role
    self.incarnation = incarnation
    self.runID = runID
    self.dataEndpoint = dataEndpoint
    self.host = host
    self.processID = processID
    self.name = name
    self.holding = holding
    self.kernels = kernels
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

/// What a task reports: named sums (loss terms, metrics), and named counts of items. The
/// coordinator adds sums in the order of their units (shards, blocks), so that the totals do not
/// depend on who computed them; counts are whole numbers, whose order does not matter.
public struct UnitReport: Sendable, Equatable {
  /// The shard or block that the sums are of.
  public var unit: UInt32
  public var sums: [String: Double]
  /// How often items were recommended; empty unless the run measures it.
  public var counts: [String: ItemCounts]

  public init(unit: UInt32, sums: [String: Double], counts: [String: ItemCounts] = [:]) {
    self.unit = unit
    self.sums = sums
    self.counts = counts
  }
}

/// How often each of some items was counted.
public struct ItemCounts: Sendable, Equatable {
  /// Ascending.
  public let items: [UInt32]
  /// Of each item, at least 1.
  public let counts: [UInt32]

  /// - Precondition: items ascend.
  public init(_ pairs: some Sequence<(item: UInt32, count: UInt32)>) {
    var items: [UInt32] = []
    var counts: [UInt32] = []
    for (item, count) in pairs {
      precondition(items.last.map { $0 < item } ?? true, "item \(item) out of order")
      items.append(item)
      counts.append(count)
    }
    self.items = items
    self.counts = counts
  }

  public var pairs: some Sequence<(item: UInt32, count: UInt32)> {
    zip(items, counts).lazy.map { (item: $0, count: $1) }
  }
}

/// Why a node could not do a task.
public struct TaskFailure: Sendable, Equatable, Error {
  public enum Kind: UInt32, Sendable {
    /// Something was missing or wrong.
    case failed = 0
    /// The loss is not a finite number any more: another try would come to the same.
    case diverged = 1
    /// The data were overwritten while the run used them.
    case dataChanged = 2
  }

  public var kind: Kind
  public var message: String

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}

/// The file with one server's rows of one version.
public struct CheckpointShard: Sendable, Equatable {
  public var generation: UInt64
  public var version: UInt64
  public var rank: UInt32
  /// Relative to the folder of the checkpoints.
  public var file: String
  public var byteCount: UInt64
  /// Of the file's bytes, with its algorithm: `xxh128:` and 32 hexadecimal digits.
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
