/// Counters of one loop's sockets since its start.
public struct TransportStatistics: Sendable, Equatable {
  public var messagesSent = 0
  public var bytesSent = 0
  public var messagesReceived = 0
  public var bytesReceived = 0
  /// Received messages with too many or no frames; the handler never sees them.
  public var messagesDropped = 0
  public var bytesDropped = 0
  /// Received messages that the handler could not decode.
  public var messagesMalformed = 0
  /// Connections refused because the peer's key is not allowed.
  public var keysRefused = 0
  /// Connections whose handshake failed for any other reason: no key, a key of another cluster,
  /// another protocol, a port scan.
  public var handshakesFailed = 0
  /// Connections closed before the end of their handshake, to make room for others.
  public var connectionsDisplaced = 0
  /// Connections closed at once, because there was no room for them.
  public var connectionsRefused = 0
  /// Connections closed because they sent, or announced, more bytes than a handshake needs.
  public var connectionsOversized = 0
  /// Messages refused because the outstanding bytes of one peer or of all peers had reached the
  /// limits of ``SocketOptions``.
  public var messagesOverloaded = 0
  /// Queued messages whose peer left before they could be sent.
  public var messagesUndelivered = 0

  public init() {}

  public var bytesMoved: Int { bytesSent + bytesReceived }
}
