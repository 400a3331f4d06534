/// A request of a worker (or of the coordinator, when it saves the best model) to a parameter
/// server, with the id that the reply repeats.
///
/// A pull or push is one message per server and version: a protobuf header frame, a frame of row
/// keys (`UInt32`) and a frame of row values (`Float`), each the concatenation of the sections.
public struct DataRequest: Sendable, Equatable {
  public var id: UInt64
  public var body: DataRequestBody

  public init(id: UInt64, body: DataRequestBody) {
    self.id = id
    self.body = body
  }
}

public enum DataRequestBody: Sendable, Equatable {
  /// The first message on a connection.
  case hello(DataHello)
  case pull(PullRequest)
  case push(PushRequest)
  case reduce(ReduceRequest)
}

public struct DataHello: Sendable, Equatable {
  public var runID: String
  public var generation: UInt64
  /// The sender's role and rank, such as `worker 0`, for messages and logs.
  public var sender: String

  public init(runID: String, generation: UInt64, sender: String) {
    self.runID = runID
    self.generation = generation
    self.sender = sender
  }
}

/// Requests rows of a version. A server answers when it has reached the version, or in `ssp` and
/// `async` with older rows that are new enough.
public struct PullRequest: Sendable, Equatable {
  public var generation: UInt64
  public var version: UInt64
  public var sections: [TableSection]
  /// `UInt32` row ids of the sections that are not whole, each section ascending.
  public var keys: Payload
  /// Shards whose contributions to the version before are acknowledged by every server. A version
  /// begins when all shards are confirmed: until then every server can still answer pulls of the
  /// version before, whichever worker is lost. In `ssp` and `async` only the first version of an
  /// epoch needs confirmations.
  public var confirmed: [UInt32]
  /// Whether the reply should contain the sums of the epoch that ends with the version, for the
  /// confirmed shards (server 0 has them).
  public var wantsReports: Bool

  public init(
    generation: UInt64, version: UInt64, sections: [TableSection], keys: Payload,
    confirmed: [UInt32] = [], wantsReports: Bool = false
  ) {
    self.generation = generation
    self.version = version
    self.sections = sections
    self.keys = keys
    self.confirmed = confirmed
    self.wantsReports = wantsReports
  }
}

public struct PushRequest: Sendable, Equatable {
  public var name: ContributionName
  public var kind: PushKind
  public var sections: [TableSection]
  /// `UInt32` row ids, as in ``PullRequest/keys``.
  public var keys: Payload
  /// `Float` values, section by section, row by row.
  public var values: Payload
  /// What a gradient adds to the sums of its shard's epoch: loss terms and statistics. Server 0
  /// keeps them and counts them once, like the gradient itself.
  public var sums: [String: Double]

  public init(
    name: ContributionName, kind: PushKind, sections: [TableSection], keys: Payload,
    values: Payload, sums: [String: Double] = [:]
  ) {
    self.name = name
    self.kind = kind
    self.sections = sections
    self.keys = keys
    self.values = values
    self.sums = sums
  }
}

public enum PushKind: UInt32, Sendable {
  /// A shard's share of a step's gradient and of its running statistics.
  case gradient = 0
  /// Values that replace rows: initial values that depend on data, final vectors.
  case assign = 1
}

/// A shard's share of sums whose totals every shard needs for its gradient (the un-squared norms of
/// the regulariser).
public struct ReduceRequest: Sendable, Equatable {
  public var name: ContributionName
  public var values: [Double]

  public init(name: ContributionName, values: [Double]) {
    self.name = name
    self.values = values
  }
}

/// The name under which a server counts a contribution once.
public struct ContributionName: Sendable, Hashable {
  /// Raised by the coordinator with every rollback; servers refuse older generations.
  public var generation: UInt64
  /// The version of the tables to which the contribution is applied. In `ssp` and `async` it may be
  /// computed from rows of an older version.
  public var version: UInt64
  public var shard: UInt32

  public init(generation: UInt64, version: UInt64, shard: UInt32) {
    self.generation = generation
    self.version = version
    self.shard = shard
  }
}

/// The rows of one table inside a message.
public struct TableSection: Sendable, Equatable {
  public var table: UInt32
  /// Rows of this section in the key and value frames.
  public var rowCount: UInt32
  public var width: UInt32
  /// Whether the section has all rows of the table that the server holds, ascending; no keys are
  /// sent then.
  public var isWhole: Bool

  public init(table: UInt32, rowCount: UInt32, width: UInt32, isWhole: Bool) {
    self.table = table
    self.rowCount = rowCount
    self.width = width
    self.isWhole = isWhole
  }
}
