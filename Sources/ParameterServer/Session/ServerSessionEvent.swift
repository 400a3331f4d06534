import Protocol

/// An event of a server process. `Peer` identifies a connection.
package enum ServerSessionEvent<Peer: Hashable & Sendable>: Sendable {
  case coordinator(CoordinatorEnvelope)
  case request(DataRequest, from: Peer)
  /// The connection was lost; replies that wait for it are dropped.
  case peerGone(Peer)
  /// The tables of a generation were made or restored.
  case prepared(ServerState<Peer>)
  /// `isTransient`: a retry, perhaps from another checkpoint, can succeed.
  case preparationFailed(generation: UInt64, String, isTransient: Bool)
  case checkpointWritten(CheckpointShard)
  case checkpointFailed(generation: UInt64, version: UInt64, String)
  /// A request about a file of another server was carried out.
  case answered(DataReply, to: Peer)
  /// A coordinator's question about the disk was answered.
  case inspected(DiskReport)
  /// The process was asked to end by a signal.
  case stopRequested
  case tick
}

/// What the driver of a server process has to do.
package enum ServerSessionAction<Peer: Hashable & Sendable>: Sendable {
  /// Send a message to the coordinator.
  case send(NodeMessage)
  /// Send a heartbeat with the process's use of resources.
  case sendHeartbeat(generation: UInt64, version: UInt64)
  case reply(DataReply, to: Peer)
  /// Make the tables of this generation, or restore them from its checkpoint, in the background;
  /// then report `prepared` or `preparationFailed`.
  case prepare(Welcome)
  /// Write these rows in the background; then report `checkpointWritten` or `checkpointFailed`.
  /// There is at most one such action at a time.
  case writeCheckpoint(ServerSnapshot)
  /// The addresses of all servers of a generation, by rank, for copies of files.
  case learnServers(generation: UInt64, [String])
  /// Keep the text of a manifest, by its path, with the files of its checkpoint.
  case keepManifest(String, String)
  /// Log a warning.
  case warn(String)
  case leave(Departure)
}
