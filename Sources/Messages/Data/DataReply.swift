public struct DataReply: Sendable, Equatable {
  public var requestID: UInt64
  public var body: DataReplyBody

  public init(requestID: UInt64, body: DataReplyBody) {
    self.requestID = requestID
    self.body = body
  }
}

public enum DataReplyBody: Sendable, Equatable {
  case welcome
  case pulled(PullReply)
  case pushed(PushOutcome)
  /// The sums over all shards, added in shard order.
  case reduced([Double])
  case refused(Refusal)
}

public struct PullReply: Sendable, Equatable {
  /// The version that the rows have; another than the asked one only where rows may be stale.
  public var version: UInt64
  public var sections: [TableSection]
  /// `Float` values, section by section, row by row.
  public var values: Payload
  /// What the contributions to the epoch said of themselves, by shard; empty unless asked for.
  public var reports: [UnitReport]

  public init(
    version: UInt64, sections: [TableSection], values: Payload, reports: [UnitReport] = []
  ) {
    self.version = version
    self.sections = sections
    self.values = values
    self.reports = reports
  }
}

public enum PushOutcome: UInt32, Sendable {
  case accepted = 0
  /// Already there under the same name; nothing was done.
  case duplicate = 1
}
