import Messages

/// What happens to a server. `Peer` names a connection.
public enum ServerEvent<Peer: Hashable & Sendable>: Sendable {
  /// A request came in on a connection.
  case request(DataRequest, from: Peer)
  /// The connection is gone; whatever waits for it is dropped.
  case peerGone(Peer)
}

/// What a server wants done.
public enum ServerAction<Peer: Hashable & Sendable>: Sendable {
  /// Send a reply on a connection.
  case reply(DataReply, to: Peer)
}

/// When a version of the tables may be read.
public enum Consistency: Sendable, Equatable {
  /// Exactly the version asked for: it exists when the contributions of all shards to the version
  /// before are in.
  case bulkSynchronous
}
