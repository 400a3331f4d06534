/// A request of a worker (or of the coordinator, when it saves the best model) to a parameter
/// server, with the id that the reply repeats.
///
/// A pull or push is one message per server and version: a protobuf header frame, a frame of row
/// keys (`UInt32`) and a frame of row values (`Float`), each the concatenation of the sections.
package struct DataRequest: Sendable, Equatable {
  package var id: UInt64
  package var body: DataRequestBody

  package init(id: UInt64, body: DataRequestBody) {
    self.id = id
    self.body = body
  }
}

package enum DataRequestBody: Sendable, Equatable {
  /// The first message on a connection.
  case hello(DataHello)
  case pull(PullRequest)
  case push(PushRequest)
  case reduce(ReduceRequest)
  /// Of another server.
  case copy(CopyRequest)
}

package struct DataHello: Sendable, Equatable {
  package var runID: String
  package var generation: UInt64
  /// The sender's role and rank, such as `worker 0`, for messages and logs.
  package var sender: String

  package init(runID: String, generation: UInt64, sender: String) {
    self.runID = runID
    self.generation = generation
    self.sender = sender
  }
}

/// Requests rows of a version. A server answers when it has reached the version, or in `ssp` and
/// `async` with older rows that are new enough.
package struct PullRequest: Sendable, Equatable {
  package var generation: UInt64
  package var version: UInt64
  package var sections: [TableSection]
  /// `UInt32` row ids of the sections that are not whole, each section ascending.
  package var keys: Payload
  /// Shards whose contributions to the version before are acknowledged by every server, or were
  /// sent to the only server of the run before this pull. A version
  /// begins when all shards are confirmed: until then every server can still answer pulls of the
  /// version before, whichever worker is lost. In `ssp` and `async` only the first version of an
  /// epoch needs confirmations.
  package var confirmed: [UInt32]
  /// Whether the reply should contain the sums of the epoch that ends with the version, for the
  /// confirmed shards (server 0 has them).
  package var wantsReports: Bool

  package init(
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

package struct PushRequest: Sendable, Equatable {
  package var name: ContributionName
  package var kind: PushKind
  package var sections: [TableSection]
  /// `UInt32` row ids, as in ``PullRequest/keys``.
  package var keys: Payload
  /// `Float` values, section by section, row by row.
  package var values: Payload
  /// What a gradient adds to the sums of its shard's epoch: loss terms and statistics. Server 0
  /// keeps them and counts them once, like the gradient itself.
  package var sums: [String: Double]

  package init(
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

package enum PushKind: UInt32, Sendable {
  /// A shard's share of a step's gradient and of its running statistics.
  case gradient = 0
  /// Values that replace rows: initial values that depend on data, final vectors.
  case assign = 1
}

/// A shard's share of sums whose totals every shard needs for its gradient: the un-squared norms of
/// the regulariser, or the gradient of what all shards propagate over a graph.
package struct ReduceRequest: Sendable, Equatable {
  package var name: ContributionName
  package var stage: ReduceStage
  /// Numbers that are added one by one; server 0 has them.
  package var values: [Double]
  /// Rows of gradients that are added row by row. The table of a section is the number of a
  /// propagated matrix, ascending; no section is whole.
  package var rows: GradientRows
  /// Whether the reply should contain the summed rows. A worker with several shards needs them
  /// once.
  package var wantsRows: Bool

  package init(
    name: ContributionName, stage: ReduceStage = .norms, values: [Double] = [],
    rows: GradientRows = .none, wantsRows: Bool = false
  ) {
    self.name = name
    self.stage = stage
    self.values = values
    self.rows = rows
    self.wantsRows = wantsRows
  }
}

/// Which sums of a version; the later ones depend on the earlier.
package enum ReduceStage: UInt32, Sendable, CaseIterable {
  /// The sums of squares of norms over the batch.
  case norms = 0
  /// The gradients of the propagated matrices.
  case propagated = 1
}

/// Some rows of several matrices.
package struct GradientRows: Sendable, Equatable {
  package var sections: [TableSection]
  /// `UInt32` row ids, section by section, ascending within each.
  package var keys: Payload
  /// `Float` values, section by section, row by row.
  package var values: Payload

  package init(sections: [TableSection], keys: Payload, values: Payload) {
    self.sections = sections
    self.keys = keys
    self.values = values
  }

  package static let none = GradientRows(sections: [], keys: .empty, values: .empty)
}

/// The name under which a server counts a contribution once.
package struct ContributionName: Sendable, Hashable {
  /// Raised by the coordinator with every rollback; servers refuse older generations.
  package var generation: UInt64
  /// The version of the tables to which the contribution is applied. In `ssp` and `async` it may be
  /// computed from rows of an older version.
  package var version: UInt64
  package var shard: UInt32

  package init(generation: UInt64, version: UInt64, shard: UInt32) {
    self.generation = generation
    self.version = version
    self.shard = shard
  }
}

/// The rows of one table inside a message.
package struct TableSection: Sendable, Equatable {
  package var table: UInt32
  /// Rows of this section in the key and value frames.
  package var rowCount: UInt32
  package var width: UInt32
  /// Whether the section has all rows of the table that the server holds, ascending; no keys are
  /// sent then.
  package var isWhole: Bool

  package init(table: UInt32, rowCount: UInt32, width: UInt32, isWhole: Bool) {
    self.table = table
    self.rowCount = rowCount
    self.width = width
    self.isWhole = isWhole
  }
}
