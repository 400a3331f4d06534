package struct DataReply: Sendable, Equatable {
  package var requestID: UInt64
  package var body: DataReplyBody

  package init(requestID: UInt64, body: DataReplyBody) {
    self.requestID = requestID
    self.body = body
  }
}

package enum DataReplyBody: Sendable, Equatable {
  case welcome
  case pulled(PullReply)
  case pushed(PushOutcome)
  case reduced(ReduceReply)
  case copied(CopyReply)
  case refused(Refusal)
}

package struct PullReply: Sendable, Equatable {
  /// The version of the rows; differs from the requested one only in `ssp` and `async`.
  package var version: UInt64
  package var sections: [TableSection]
  /// `Float` values, section by section, row by row.
  package var values: Payload
  /// The sums of the contributions to the epoch, by shard; empty unless requested.
  package var reports: [UnitReport]

  package init(
    version: UInt64, sections: [TableSection], values: Payload, reports: [UnitReport] = []
  ) {
    self.version = version
    self.sections = sections
    self.values = values
    self.reports = reports
  }
}

/// The sums over all shards, added in shard order.
package struct ReduceReply: Sendable, Equatable {
  package var values: [Double]
  /// The sums of the rows that any shard has; none unless requested.
  package var rows: GradientRows

  package init(values: [Double], rows: GradientRows = .none) {
    self.values = values
    self.rows = rows
  }
}

package enum PushOutcome: UInt32, Sendable {
  case accepted = 0
  /// A contribution of this name was already accepted; nothing changed.
  case duplicate = 1
}
