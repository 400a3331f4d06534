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
  /// Time passes likewise, and messages have come that the shell could not take yet.
  case tickWhileBehind
  /// The shell knows that the node's process is gone. (Silence is the state's own business.)
  case nodeGone(NodeID)
  /// Some more of what `CoordinatorAction.saveBest` asked for has come from the servers, or is on
  /// the disk.
  case bestSaveMoved
  /// The files of the best model are written, as `CoordinatorAction.saveBest` asked for.
  case bestSaved
  /// They could not be written. Transient: a server did not answer, so that another try can help.
  case bestSaveFailed(String, isTransient: Bool)
  /// An answer to ``CoordinatorAction/findCheckpoint``: nil if all that are there are damaged.
  case checkpointFound(RestoredCheckpoint?)
  /// Another answer: there is none of the run at all, not even a damaged one.
  case noCheckpoint
  /// Another answer: the disk could not be read, so that it is not known which one is the newest.
  case checkpointSearchFailed(String)
  /// The manifest that ``CoordinatorAction/commitCheckpoint(_:)`` asked for is on the disk.
  case checkpointCommitted(CommittedCheckpoint)
  /// It could not be written.
  case checkpointCommitFailed(version: UInt64, message: String)
  /// A person or a supervisor wants the run to end, `reason` such as `Ctrl-C`. Asked for twice, it
  /// ends at once.
  case stopRequested(reason: String)
}
