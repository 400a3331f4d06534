import Messages

/// The coordinator's name for a node: the incarnation of its hello, fresh for every process. The
/// shell maps it to whatever its transport calls the peer.
public typealias NodeID = UInt64

/// What happens to a coordinator.
public enum CoordinatorEvent: Sendable, Equatable {
  case message(NodeMessage, from: NodeID)
  /// A message of a node cannot be read; `message` is the reader's sentence.
  case undecodable(from: NodeID, message: String)
  /// Time passes; to be sent at least every heartbeat interval.
  case tick
  /// The shell knows that the node's process is gone. (Silence is the state's own business.)
  case nodeGone(NodeID)
  /// The files of the best model that ``CoordinatorAction/saveBest(epoch:version:)`` asked for are
  /// written.
  case bestSaved
  case bestSaveFailed(String)
  /// A person or a supervisor wants the run to end, `reason` such as `Ctrl-C`.
  case stopRequested(reason: String)
}
