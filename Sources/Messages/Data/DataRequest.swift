/// What a worker (or the coordinator, when it exports) asks a parameter server, and the number
/// under which it wants the answer.
///
/// One message per server, version and direction: a protobuf header frame, then a frame of row
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
  /// First message on a connection.
  case hello(DataHello)
  case pull(PullRequest)
  case push(PushRequest)
  case reduce(ReduceRequest)
}

public struct DataHello: Sendable, Equatable {
  public var runID: String
  public var generation: UInt64
  /// Who speaks: `worker 0`, `coordinator`; for messages and logs.
  public var sender: String

  public init(runID: String, generation: UInt64, sender: String) {
    self.runID = runID
    self.generation = generation
    self.sender = sender
  }
}

/// Asks for rows as of a version; a server that is not there yet answers when it is, or with what
/// it has, where rows may be stale.
public struct PullRequest: Sendable, Equatable {
  public var generation: UInt64
  public var version: UInt64
  public var sections: [TableSection]
  /// `UInt32` row ids of the sections that are not whole, each section ascending.
  public var keys: Payload
  /// Shards whose contributions to the version before every server has acknowledged. A version
  /// begins when all shards are confirmed: until then every server can still answer for the one
  /// before, whoever dies. Where rows may be stale only the first version of an epoch needs that.
  public var confirmed: [UInt32]
  /// Whether the answer should bring the sums of the epoch that ends with the version, of the
  /// confirmed shards (the first server has them).
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
  /// What a gradient adds to the sums of its shard's epoch: loss terms and statistics. Kept by the
  /// first server, where they count once like the gradient itself.
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
  /// A shard's share of a step's gradient (and of its running statistics).
  case gradient = 0
  /// Values that replace rows: initial values that data decides, final matrices.
  case assign = 1
}

/// A shard's share of sums that every shard needs in full before its gradient (the un-squared
/// norms of the regulariser).
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
  /// Raised by the coordinator on every recovery; servers refuse older ones.
  public var generation: UInt64
  /// The version of the tables that the contribution is for: from it the next one is made. In `ssp`
  /// and `async` the rows that it was computed from may be older.
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
  /// How many rows, in the key and value frames, belong to this section.
  public var rowCount: UInt32
  public var width: UInt32
  /// All rows of the table that the server holds, ascending, with no keys sent.
  public var isWhole: Bool

  public init(table: UInt32, rowCount: UInt32, width: UInt32, isWhole: Bool) {
    self.table = table
    self.rowCount = rowCount
    self.width = width
    self.isWhole = isWhole
  }
}
