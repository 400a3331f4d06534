/// Something at the edge of the network that is no message, for whoever keeps the log.
public enum NetworkIncident: Sendable, Equatable, CustomStringConvertible {
  /// A peer has proved that it has a key, and the key is not among the allowed.
  case keyRefused(CurvePublicKey, address: String)
  case handshakeFailed(HandshakeFailure)
  /// Connections were closed whose peers had not proved who they are.
  case connectionsLimited(ConnectionGuard.Closed)
  /// A connecting socket has agreed with the other side.
  case connected
  /// A message was dropped because it could not be understood; `problem` says why.
  case malformedMessage(problem: String)

  /// One sentence.
  public var description: String {
    switch self {
    case .keyRefused(let key, let address):
      "Refused a connection\(address.isEmpty ? "" : " from \(address)"): its public key \(key) is"
        + " not in the folder 'allowed'."
    case .handshakeFailed(let failure): failure.description
    case .connectionsLimited(let closed):
      "Closed connections before they had said who they are: \(closed)."
    case .connected: "Connected."
    case .malformedMessage(let problem): "Dropped a message: \(problem)"
    }
  }
}
