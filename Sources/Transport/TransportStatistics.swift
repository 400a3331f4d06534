/// Counters of one loop's sockets since its start.
package struct TransportStatistics: Sendable, Equatable {
  package var messagesSent = 0
  package var bytesSent = 0
  package var messagesReceived = 0
  package var bytesReceived = 0
  /// Received messages with too many or no frames; the handler never sees them.
  package var messagesDropped = 0
  package var bytesDropped = 0
  /// Received messages that the handler could not decode.
  package var messagesMalformed = 0
  /// Connections refused because the peer's key is not allowed.
  package var keysRefused = 0
  /// Connections whose handshake failed for any other reason: no key, a key of another cluster,
  /// another protocol, a port scan.
  package var handshakesFailed = 0
  /// Connections closed before the end of their handshake, to make room for others.
  package var connectionsDisplaced = 0
  /// Connections closed at once, because there was no room for them.
  package var connectionsRefused = 0
  /// Connections closed because they sent, or announced, more bytes than a handshake needs.
  package var connectionsOversized = 0
  /// Messages refused because the outstanding bytes of one peer or of all peers had reached the
  /// limits of ``SocketOptions``.
  package var messagesOverloaded = 0
  /// Queued messages whose peer left before they could be sent.
  package var messagesUndelivered = 0

  package init() {}

  package var bytesMoved: Int { bytesSent + bytesReceived }
}
