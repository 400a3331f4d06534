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
  /// The version of the rows; differs from the requested one only in `ssp` and `async`.
  public var version: UInt64
  public var sections: [TableSection]
  /// `Float` values, section by section, row by row.
  public var values: Payload
  /// The sums of the contributions to the epoch, by shard; empty unless requested.
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
  /// A contribution of this name was already accepted; nothing changed.
  case duplicate = 1
}
