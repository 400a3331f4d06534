/// An event of the network that is not a message, for the log.
package enum NetworkIncident: Sendable, Equatable, CustomStringConvertible {
  /// A peer has proved that it owns a key, but the key is not allowed.
  case keyRefused(CurvePublicKey, address: String)
  case handshakeFailed(HandshakeFailure)
  /// Connections of unauthenticated peers were closed.
  case connectionsLimited(ConnectionGuard.Closed)
  /// The handshake of a connecting socket has succeeded.
  case connected
  /// A message was dropped because it could not be decoded; `problem` is the reason.
  case malformedMessage(problem: String)

  /// One sentence.
  package var description: String {
    switch self {
    case .keyRefused(let key, let address):
      "Refused a connection\(address.isEmpty ? "" : " from \(address)"): its public key \(key) is"
        + " not in the folder 'allowed'."
    case .handshakeFailed(let failure): failure.description
    case .connectionsLimited(let closed):
      "Closed connections that had not authenticated: \(closed)."
    case .connected: "Connected."
    case .malformedMessage(let problem): "Dropped a message: \(problem)"
    }
  }
}

/// A connection that ended before its handshake was complete.
package struct HandshakeFailure: Sendable, Equatable, CustomStringConvertible {
  package enum Cause: Sendable, CaseIterable {
    /// The listening side does not know the key of the connecting side.
    case keyNotAllowed
    /// One side encrypts and the other does not.
    case otherMechanism
    /// The encrypted data cannot be read: it was encrypted for another cluster's key.
    case wrongKey
    /// The data do not follow ZeroMQ's protocol.
    case malformed
    /// The other side closed the connection or took too long. A listening socket closes the
    /// connection without a reason when the peer uses a wrong cluster key.
    case hungUp
    /// A peer used another protocol, or a ZeroMQ protocol without security, on a listening socket.
    case otherProtocol
  }

  /// The address at which this process listens or to which it tried to connect.
  package let endpoint: Endpoint
  package let isListening: Bool
  /// Whether this process encrypts.
  package let isEncrypted: Bool
  package let cause: Cause

  /// One sentence.
  package var description: String { isListening ? listeningSentence : connectingSentence }

  private var listeningSentence: String {
    let found =
      switch cause {
      case .keyNotAllowed: "the peer's key is not allowed"
      case .otherMechanism:
        isEncrypted ? "the peer does not encrypt" : "the peer encrypts and this process has no keys"
      case .wrongKey: "the peer expects another cluster's key"
      case .malformed: "the peer does not follow ZeroMQ's protocol"
      case .hungUp: "it ended before the peer had authenticated"
      case .otherProtocol: "the peer uses another protocol"
      }
    return "Refused a connection to \(endpoint): \(found)."
  }

  private var connectingSentence: String {
    let found =
      switch cause {
      case .keyNotAllowed:
        "the other side does not allow this process's key; add its public key to the folder"
          + " 'allowed' there"
      case .otherMechanism:
        isEncrypted
          ? "the other side does not encrypt; start it with --keys, too"
          : "the other side accepts encrypted connections only; give --keys FOLDER"
      case .wrongKey: "the other side's answer cannot be read with the cluster's public key"
      case .malformed, .otherProtocol: "the other side does not follow ZeroMQ's protocol"
      case .hungUp:
        isEncrypted
          ? "the other side closed the connection; this happens when its cluster key is not the one"
            + " in this process's key folder, or when it does not encrypt"
          : "the other side closed the connection; this happens when it accepts encrypted"
            + " connections only; give --keys FOLDER"
      }
    return "Cannot connect to \(endpoint): \(found)."
  }
}
