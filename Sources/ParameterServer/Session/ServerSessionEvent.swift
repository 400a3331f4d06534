import Enrollment
import Messages

/// What happens to a server's process. `Peer` names a connection.
public enum ServerSessionEvent<Peer: Hashable & Sendable>: Sendable {
  case coordinator(CoordinatorLetter)
  case request(DataRequest, from: Peer)
  /// The connection is gone; whatever waits for it is dropped.
  case peerGone(Peer)
  /// The tables of a generation are made or restored.
  case prepared(ServerState<Peer>)
  /// `isTransient`: another try, perhaps from another checkpoint, can succeed.
  case preparationFailed(generation: UInt64, String, isTransient: Bool)
  case checkpointWritten(CheckpointShard)
  case checkpointFailed(generation: UInt64, version: UInt64, String)
  /// A polite end was asked for (a signal).
  case stopRequested
  case tick
}

/// What a server's process does about it.
public enum ServerSessionAction<Peer: Hashable & Sendable>: Sendable {
  case tell(NodeMessage)
  /// Send a heartbeat with what the process uses.
  case beat(generation: UInt64, version: UInt64)
  case reply(DataReply, to: Peer)
  /// Make the tables of this generation, or restore them from its checkpoint, beside the thread
  /// that answers; then report `prepared` or `preparationFailed`.
  case prepare(Welcome)
  /// Write these rows beside the thread that answers; then report `checkpointWritten` or
  /// `checkpointFailed`. No other is asked for until then.
  case writeCheckpoint(ServerSnapshot)
  /// Something for the process's log.
  case warn(String)
  case leave(Departure)
}
