/// One socket of a loop.
public struct ConnectionID: Hashable, Sendable {
  let number: UInt32
}

/// Whom a message comes from or goes to: a socket of a loop, and behind a socket that others
/// connect to, the one of them.
public struct PeerID: Hashable, Sendable {
  public let connection: ConnectionID
  /// The name that libzmq gives the peer's connection. Fresh for every start of a process; who the
  /// peer is says its first message. Empty for the one peer of a connecting socket.
  let routingID: [UInt8]
}

/// Names of connections.
enum RoutingID {
  /// A name that nobody had before: two peers with one name would get each other's messages.
  static func fresh() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    // libzmq keeps names that begin with 0 to itself.
    return [0x6d] + (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }
}
