internal import CZeroMQ

/// Hears how the handshakes of a socket end: those that fail never become a message.
final class HandshakeMonitor {
  enum News {
    /// A listening socket has a new connection.
    case accepted
    case succeeded
    case failed(HandshakeFailure.Cause)
  }

  private let monitored: UnsafeMutableRawPointer
  private let socket: InternalSocket

  private static let events =
    ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
    | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL

  /// - Parameter monitored: an open socket of the calling thread.
  init(_ monitored: UnsafeMutableRawPointer, context: ZeroMQContext) throws(TransportError) {
    self.monitored = monitored
    socket = try InternalSocket(ZMQ_PAIR, context: context)
    let address = "inproc://mrdib.handshakes.\(UInt(bitPattern: monitored))"
    do {
      _ = try valueOrErrno { zmq_socket_monitor(monitored, address, Self.events) }
    } catch {
      throw TransportError(error, attempt: "watch the handshakes of a socket")
    }
    do {
      try socket.connect(address)
    } catch {
      close()
      throw error
    }
  }

  /// Must come before the monitored socket is closed, and in this order: libzmq would wait for ever
  /// for somebody to take its news.
  func close() {
    guard socket.pointer != nil else { return }
    _ = try? valueOrErrno { zmq_socket_monitor(monitored, nil, 0) }
    socket.close()
  }

  /// What has happened since the last call; nil when that is all.
  func next() throws(TransportError) -> News? {
    while let frames = try socket.receive() {
      // Event (2 bytes) and value (4), in the machine's byte order; then our own address.
      guard frames.count == 2, frames[0].count == 6 else { continue }
      let (event, value) = frames[0].withUnsafeBytes {
        (
          CInt($0.loadUnaligned(as: UInt16.self)),
          $0.loadUnaligned(fromByteOffset: 2, as: UInt32.self)
        )
      }
      if event == ZMQ_EVENT_ACCEPTED { return .accepted }
      if event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED { return .succeeded }
      if let cause = Self.cause(event, value) { return .failed(cause) }
    }
    return nil
  }

  private static func cause(_ event: CInt, _ value: UInt32) -> HandshakeFailure.Cause? {
    switch (event, CInt(bitPattern: value)) {
    case (ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, _): .keyNotAllowed
    case (ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH):
      .otherMechanism
    case (ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC): .wrongKey
    case (ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, _): .malformed
    case (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, _): .hungUp
    default: nil
    }
  }
}
