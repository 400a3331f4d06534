internal import CZeroMQ

/// A libzmq socket. Belongs to the thread that made it, which is why it is not `Sendable`.
final class ZeroMQSocket {
  enum Kind {
    /// Connects to one peer.
    case dealer
    /// Is connected to by many, and addresses each of them.
    case router
  }

  let kind: Kind
  let options: SocketOptions
  /// What polls this socket needs to know; nil once closed.
  private(set) var pointer: UnsafeMutableRawPointer?
  private let context: ZeroMQContext
  private var endpointLock: EndpointLock?
  /// Where a message lies between libzmq and a payload.
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

  /// Listens at `endpoint` and gives the address that it really has.
  func bind(_ endpoint: Endpoint) throws(TransportError) -> Endpoint {
    if case .ipc(let path) = endpoint.kind { endpointLock = try EndpointLock(path: path) }
    try allowIPv6(for: endpoint)
    try call("bind to \(endpoint)") { zmq_bind($0, endpoint.description) }
    return try Endpoint(text(of: ZMQ_LAST_ENDPOINT))
  }

  /// Connects in the background, again and again; a peer need not be there yet.
  func connect(_ endpoint: Endpoint) throws(TransportError) {
    guard endpoint.isDefinite else {
      throw TransportError(
        .invalidEndpoint,
        "Cannot connect to \(endpoint): it does not say which host and port; give the address at"
          + " which the peer is reached.")
    }
    try allowIPv6(for: endpoint)
    try call("connect to \(endpoint)") { zmq_connect($0, endpoint.description) }
  }

  /// Connects anew. libzmq gives a connection up for ever when the other side answers a handshake
  /// with an error, though that side may be started again with other keys.
  func reconnect(_ endpoint: Endpoint) throws(TransportError) {
    // What libzmq has given up cannot be disconnected.
    _ = try? callWithErrno { zmq_disconnect($0, endpoint.description) }
    try connect(endpoint)
  }

  /// Closes the socket; unsent messages get `linger` to leave. A second call does nothing.
  func close(linger: Duration) {
    guard let open = pointer else { return }
    try? set(ZMQ_LINGER, linger, "linger time")
    pointer = nil
    context.closeSocket(open)
    endpointLock = nil
  }

  /// To be called before the socket is bound or connected, and closed before the socket is.
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

  /// The same for callers that act on some error numbers.
  @discardableResult
  func callWithErrno(_ body: (UnsafeMutableRawPointer) -> CInt) throws(Errno) -> CInt {
    guard let pointer else { throw .closed }
    return try valueOrErrno { body(pointer) }
  }
}
