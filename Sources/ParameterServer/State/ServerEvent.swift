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
