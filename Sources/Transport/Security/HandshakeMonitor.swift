internal import CZeroMQ

/// Reads the outcome of a socket's handshakes from libzmq's socket monitor: a failed handshake
/// shows nowhere else.
final class HandshakeMonitor {
  enum Event {
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

  /// Must be called before the monitored socket is closed. The monitor stops before its socket is
  /// closed, because libzmq would otherwise wait for ever for its events to be read.
  func close() {
    guard socket.pointer != nil else { return }
    _ = try? valueOrErrno { zmq_socket_monitor(monitored, nil, 0) }
    socket.close()
  }

  /// The next event; nil when there is none.
  func next() throws(TransportError) -> Event? {
    while let frames = try socket.receive() {
      // Event (2 bytes) and value (4), in the machine's byte order; then the local address.
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

/// Counts the connections to a listening socket that libzmq closed without an event.
///
/// libzmq reports every connection that it accepts and every handshake that succeeds or fails, with
/// one exception: it closes connections of peers that use another protocol, or a ZeroMQ protocol
/// without security, without an event. A handshake takes a bounded time, so an older connection
/// without an event was closed in this way. Events do not identify the connection, so the ledger
/// compares totals; it never counts too many.
struct HandshakeLedger {
  /// How long after its acceptance a connection may be without an event.
  private let timeout: Duration
  /// Accepted within the timeout, oldest first.
  private var recent: [(time: Duration, count: Int)] = []
  /// Connections older than the timeout, less the handshakes that have ended.
  private var balance = 0
  private var reported = 0

  /// - Parameter handshakeTimeout: libzmq's limit for a handshake.
  init(handshakeTimeout: Duration) {
    timeout = handshakeTimeout + .seconds(1)
  }

  mutating func accepted(at now: Duration) {
    if recent.last?.time == now {
      recent[recent.count - 1].count += 1
    } else {
      recent.append((now, 1))
    }
  }

  /// A handshake has succeeded or failed.
  mutating func concluded() { balance -= 1 }

  /// How many more connections were closed without an event than at the last call.
  mutating func takeSilent(at now: Duration) -> Int {
    let old = recent.prefix { now - $0.time > timeout }
    balance += old.reduce(0) { $0 + $1.count }
    recent.removeFirst(old.count)
    guard balance > reported else { return 0 }
    defer { reported = balance }
    return balance - reported
  }
}
