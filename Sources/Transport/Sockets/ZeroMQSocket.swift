internal import CZeroMQ

/// A libzmq socket. Not `Sendable`: only the thread that made it may use it.
final class ZeroMQSocket {
  enum Kind {
    /// Connects to one peer.
    case dealer
    /// Listens for many peers and addresses each of them.
    case router
  }

  let kind: Kind
  let options: SocketOptions
  /// The libzmq socket, for polling; nil once closed.
  private(set) var pointer: UnsafeMutableRawPointer?
  private let context: ZeroMQContext
  private var endpointLock: EndpointLock?
  /// The buffer for the frame that is being sent or received.
  let scratch: UnsafeMutablePointer<zmq_msg_t>

  init(
    _ kind: Kind, context: ZeroMQContext, options: SocketOptions, security: Security
  ) throws(TransportError) {
    self.kind = kind
    self.options = options
    self.context = context
    scratch = .allocate(capacity: 1)
    pointer = try context.openSocket(kind == .dealer ? ZMQ_DEALER : ZMQ_ROUTER)
    try applyOptions()
    try apply(security)
  }

  deinit {
    close(linger: options.linger)
    scratch.deallocate()
  }

  /// Listens at `endpoint`.
  ///
  /// - Returns: the actual address, with the port that the system chose.
  func bind(_ endpoint: Endpoint) throws(TransportError) -> Endpoint {
    if case .ipc(let path) = endpoint.kind { endpointLock = try EndpointLock(path: path) }
    try allowIPv6(for: endpoint)
    try call("bind to \(endpoint)") { zmq_bind($0, endpoint.description) }
    return try Endpoint(text(of: ZMQ_LAST_ENDPOINT))
  }

  /// Connects in the background and retries; the peer need not be listening yet.
  func connect(_ endpoint: Endpoint) throws(TransportError) {
    guard endpoint.isDefinite else {
      throw TransportError(
        .invalidEndpoint,
        "Cannot connect to \(endpoint): it does not name one host and port; give the address at"
          + " which the peer is reached.")
    }
    try allowIPv6(for: endpoint)
    try call("connect to \(endpoint)") { zmq_connect($0, endpoint.description) }
  }

  /// Connects again, to the same address or to another one. libzmq stops retrying when the other
  /// side answers the handshake with an error, but that side may later be restarted with other
  /// keys.
  func reconnect(
    _ endpoint: Endpoint, insteadOf former: Endpoint
  ) throws(TransportError) {
    // This fails if libzmq has already dropped the connection.
    _ = try? callWithErrno { zmq_disconnect($0, former.description) }
    try connect(endpoint)
  }

  /// Closes the socket; unsent messages may still be sent for `linger`. A second call does nothing.
  func close(linger: Duration) {
    guard let open = pointer else { return }
    try? set(ZMQ_LINGER, linger, "linger time")
    pointer = nil
    context.closeSocket(open)
    endpointLock = nil
  }

  /// Must be called before the socket is bound or connected; the monitor must be closed before the
  /// socket.
  func watchHandshakes() throws(TransportError) -> HandshakeMonitor {
    guard let pointer else { throw TransportError(Errno.closed, attempt: "watch handshakes") }
    return try HandshakeMonitor(pointer, context: context)
  }

  /// Makes a C call on the open socket.
  @discardableResult
  func call(
    _ attempt: @autoclosure () -> String, _ body: (UnsafeMutableRawPointer) -> CInt
  ) throws(TransportError) -> CInt {
    do {
      return try callWithErrno(body)
    } catch {
      throw TransportError(error, attempt: attempt())
    }
  }

  /// Like ``call(_:_:)``, for callers that handle some error numbers themselves.
  @discardableResult
  func callWithErrno(_ body: (UnsafeMutableRawPointer) -> CInt) throws(Errno) -> CInt {
    guard let pointer else { throw .closed }
    return try valueOrErrno { body(pointer) }
  }
}
