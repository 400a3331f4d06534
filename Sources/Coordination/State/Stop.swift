/// A stop that was asked for and waits: for a last checkpoint, and for a best model that is being
/// written.
struct Stop: Sendable, Equatable {
  let reason: String
  let since: Double
  /// Where the servers that have answered the hold stay.
  var held: [NodeID: UInt64] = [:]
  /// The version of the last checkpoint, once all servers are held.
  var target: UInt64?
  /// Whether the last checkpoint is committed, or given up.
  var isCheckpointSettled = false
}
