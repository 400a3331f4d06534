import Protocol

/// Where a server is.
package struct ServerPlace: Sendable, Equatable {
  /// Where other processes reach it.
  package var endpoint: String
  /// The name of its host.
  package var host: String

  package init(endpoint: String, host: String) {
    self.endpoint = endpoint
    self.host = host
  }
}

/// What the coordinator knows of a node that takes part, see ``RunSnapshot``.
package struct MemberStatus: Sendable, Equatable {
  package enum Activity: String, Sendable, Equatable {
    /// Loads its data or tables for the present generation.
    case preparing
    /// Ready, and without a task. (Servers are never idle: they answer workers.)
    case idle
    /// A worker has a task; a server holds its tables.
    case working
  }

  /// What the latest heartbeat reported.
  package struct Usage: Sendable, Equatable {
    package var residentBytes: UInt64
    /// Processor time of the process since it began.
    package var cpuSeconds: Double

    package init(residentBytes: UInt64, cpuSeconds: Double) {
      self.residentBytes = residentBytes
      self.cpuSeconds = cpuSeconds
    }

    init(_ heartbeat: Heartbeat) {
      self.init(residentBytes: heartbeat.residentBytes, cpuSeconds: heartbeat.cpuSeconds)
    }
  }

  /// New for every start of a process.
  package var incarnation: NodeID
  package var role: NodeRole
  package var rank: UInt32
  /// As the node calls itself, such as `worker-1`; may be empty.
  package var name: String
  package var host: String
  package var processID: UInt32
  package var activity: Activity
  /// Seconds since its last message, as far as this process could receive.
  package var silence: Double
  /// Steps or blocks of the task under way.
  package var taskProgress: UInt64
  /// Shards or blocks of the task under way; 0 without one.
  package var unitCount: Int
  /// Of a server's tables.
  package var version: UInt64
  /// Nil before its first heartbeat.
  package var usage: Usage?

  package init(
    incarnation: NodeID, role: NodeRole, rank: UInt32, name: String, host: String,
    processID: UInt32, activity: Activity, silence: Double = 0, taskProgress: UInt64 = 0,
    unitCount: Int = 0, version: UInt64 = 0, usage: Usage? = nil
  ) {
    self.incarnation = incarnation
    self.role = role
    self.rank = rank
    self.name = name
    self.host = host
    self.processID = processID
    self.activity = activity
    self.silence = silence
    self.taskProgress = taskProgress
    self.unitCount = unitCount
    self.version = version
    self.usage = usage
  }
}
