/// A message of a node (worker or server) to the coordinator.
package enum NodeMessage: Sendable, Equatable {
  case hello(NodeHello)
  case heartbeat(Heartbeat)
  /// The node is set up for a generation (a worker: data loaded, servers reached; a server: tables
  /// made or restored).
  case ready(generation: UInt64)
  case taskDone(id: UInt64, reports: [UnitReport])
  case taskFailed(id: UInt64, TaskFailure)
  case goodbye(reason: String)
  /// A server's tables stay at this version: the answer to
  /// ``CoordinatorMessage/hold(generation:)``.
  case held(generation: UInt64, version: UInt64)
  /// A server's rows are in a file; repeated with every heartbeat until it is acknowledged.
  case checkpointWritten(CheckpointShard)
  /// A server could not write its rows of a version; it continues without that checkpoint.
  case checkpointFailed(generation: UInt64, version: UInt64, message: String)
  /// A server's answer to ``CoordinatorMessage/inspect(_:)``.
  case inspected(DiskReport)
}

package enum NodeRole: UInt32, Sendable {
  case worker = 1
  case server = 2
}

/// The first message of a node.
package struct NodeHello: Sendable, Equatable {
  package var role: NodeRole
  /// New for every start of a process, and greater than those of earlier processes with the same
  /// ``name``. It identifies the process until it has a rank.
  package var incarnation: UInt64
  /// The run that the node wants to join; empty: any run of the coordinator.
  package var runID: String
  /// The address of a server for workers, such as `tcp://10.0.0.7:40001`; empty for a worker.
  package var dataEndpoint: String
  package var host: String
  package var processID: UInt32
  /// The same for all processes that replace each other, such as `server-0`, so that the
  /// coordinator need not wait for the timeout of the process before. May be empty.
  package var name: String
  /// What the process still has of the run; nil for a process that has not been a member.
  package var holding: HeldState?
  /// The OpenBLAS kernels of a worker, such as `SkylakeX`; they decide the bits of its products.
  /// Empty if unknown.
  package var kernels: String

  package init(
    role: NodeRole, incarnation: UInt64, runID: String, dataEndpoint: String, host: String,
    processID: UInt32, name: String = "", holding: HeldState? = nil, kernels: String = ""
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

/// What a node still has of a run, for a coordinator that was restarted.
package struct HeldState: Sendable, Equatable {
  package var generation: UInt64
  package var rank: UInt32
  /// The version of a server's tables; 0 for a worker.
  package var version: UInt64

  package init(generation: UInt64, rank: UInt32, version: UInt64) {
    self.generation = generation
    self.rank = rank
    self.version = version
  }
}

/// The periodic message that shows that a node is alive, with its use of resources.
package struct Heartbeat: Sendable, Equatable {
  package var residentBytes: UInt64
  package var peakResidentBytes: UInt64
  package var cpuSeconds: Double
  /// Steps or blocks of the current task that are done; 0 without a task.
  package var taskProgress: UInt64
  /// The current task; 0 for none. If the coordinator has assigned another one, that message or the
  /// report of its end was lost.
  package var taskID: UInt64
  /// The node's generation; 0 before the first.
  package var generation: UInt64
  /// The version of a server's tables in that generation; 0 for a worker.
  package var version: UInt64

  package init(
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

/// The result of one unit (shard or block) of a task: named sums (loss terms, metrics), and named
/// counts of items. The coordinator adds sums in the order of their units, so that totals do not
/// depend on the assignment of units to workers. Counts are integers; their order does not matter.
package struct UnitReport: Sendable, Equatable {
  /// The shard or block.
  package var unit: UInt32
  package var sums: [String: Double]
  /// How often items were recommended; empty unless a metric of the run needs it.
  package var counts: [String: ItemCounts]

  package init(unit: UInt32, sums: [String: Double], counts: [String: ItemCounts] = [:]) {
    self.unit = unit
    self.sums = sums
    self.counts = counts
  }
}

/// Counts of some items.
package struct ItemCounts: Sendable, Equatable {
  /// Ascending item ids.
  package let items: [UInt32]
  /// The count of each item, at least 1.
  package let counts: [UInt32]

  /// - Precondition: items ascend.
  package init(_ pairs: some Sequence<(item: UInt32, count: UInt32)>) {
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

  package var pairs: some Sequence<(item: UInt32, count: UInt32)> {
    zip(items, counts).lazy.map { (item: $0, count: $1) }
  }
}

/// Why a task failed.
package struct TaskFailure: Sendable, Equatable, Error {
  package enum Kind: UInt32, Sendable {
    /// Any cause that is not listed below.
    case failed = 0
    /// The loss is not finite; a retry would diverge again.
    case diverged = 1
    /// The data set was overwritten during the run.
    case dataChanged = 2
  }

  package var kind: Kind
  package var message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}

/// A file with one server's rows of one version.
package struct CheckpointShard: Sendable, Equatable {
  package var generation: UInt64
  package var version: UInt64
  package var rank: UInt32
  /// The path relative to the folder of the checkpoints.
  package var file: String
  package var byteCount: UInt64
  /// The digest of the file's bytes with its algorithm: `xxh128:` and 32 hexadecimal digits.
  package var digest: String

  package init(
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
