import Glibc
import Protocol

/// The event loop that owns every socket of a process. It passes messages, ticks and events in turn
/// to a ``NetworkHandler``.
///
/// Not `Sendable`: it stays on the thread that made it. Other threads use its ``mailbox``.
package final class NetworkLoop<Event: Sendable> {
  package let mailbox: Mailbox<Event>
  package let settings: NetworkLoopSettings
  package internal(set) var statistics = TransportStatistics()
  let context: ZeroMQContext
  /// In the order in which they were opened and are served.
  private(set) var connections: [Connection] = []
  private var nextConnectionNumber: UInt32 = 0
  private(set) var isStopping = false
  /// When the next tick is due.
  var nextTick = Duration.zero
  /// Whether messages may have arrived that the handler has not received yet.
  package internal(set) var isBehind = false
  /// Nil until the first socket listens with keys.
  private(set) var authenticator: Authenticator?

  /// - Throws: ``TransportError`` when the operating system refuses an event descriptor.
  package convenience init(
    context: ZeroMQContext, settings: NetworkLoopSettings = NetworkLoopSettings()
  ) throws(TransportError) {
    self.init(
      context: context, settings: settings,
      mailbox: try Mailbox(capacity: settings.mailboxCapacity))
  }

  init(context: ZeroMQContext, settings: NetworkLoopSettings, mailbox: Mailbox<Event>) {
    self.context = context
    self.settings = settings
    self.mailbox = mailbox
  }

  deinit { closeConnections(linger: settings.socket.linger) }

  /// Ends ``run(_:)`` after the current call to the handler.
  package func stop() { isStopping = true }

  /// Counts and reports a message that the handler could not decode.
  ///
  /// - Parameter problem: why it is malformed, as a sentence.
  package func recordMalformedMessage(_ problem: String = "it cannot be understood.") {
    statistics.messagesMalformed += 1
    settings.report(.malformedMessage(problem: problem))
  }

  // MARK: Connections

  /// A listening socket.
  package struct Listener: Sendable {
    package let connection: ConnectionID
    /// The address of the socket, with the actual port.
    package let endpoint: Endpoint
    /// The address at which peers reach it.
    package let advertised: Endpoint
  }

  /// Listens for peers.
  ///
  /// - Parameters:
  ///   - endpoint: such as `tcp://0.0.0.0:4000`, `tcp://127.0.0.1:*` (a free port),
  ///     `tcp://localhost:4000` or `ipc:///run/mrdib/7/server`.
  ///   - host: the name or address at which peers reach this machine, if `endpoint` has none.
  ///   - maximumFrameBytes: largest frame that is sent or accepted here, if that is less than
  ///     ``SocketOptions/maximumFrameBytes``.
  /// - Throws: ``TransportError`` when the address is malformed, in use, not an address of this
  ///   machine, not allowed, or open to unauthenticated peers (see ``Security``).
  package func bindRouter(
    _ endpoint: String, advertisedHost host: String? = nil, maximumFrameBytes: Int = .max
  ) throws(TransportError) -> Listener {
    let wanted = try Endpoint(endpoint).resolvingLoopbackName()
    try settings.security.checkListening(at: wanted)
    ConnectionGuard.start()
    if case .curve(let keys) = settings.security, let listening = keys.listening,
      authenticator == nil
    {
      authenticator = try Authenticator(listening, context: context)
    }
    let (connection, actual) = try open(.router, maximumFrameBytes) {
      socket throws(TransportError) in
      try socket.bind(wanted)
    }
    return Listener(
      connection: connection, endpoint: actual,
      advertised: host.map { actual.at(host: $0) } ?? actual)
  }

  /// Connects to a peer, which need not be listening yet; lost connections are re-established.
  ///
  /// - Parameter maximumFrameBytes: as for ``bindRouter(_:advertisedHost:maximumFrameBytes:)``.
  /// - Throws: ``TransportError`` when the address is malformed or names no single host and port.
  package func connectDealer(
    _ endpoint: String, maximumFrameBytes: Int = .max
  ) throws(TransportError) -> PeerID {
    let target = try Endpoint(endpoint)
    let (connection, _) = try open(.dealer, maximumFrameBytes) { socket throws(TransportError) in
      try socket.connect(target)
      return target
    }
    return PeerID(connection: connection, routingID: [])
  }

  /// Connects a socket of ``connectDealer(_:maximumFrameBytes:)`` to another address, where the
  /// same peer is now. Messages that were not sent yet may be lost. A closed connection is ignored.
  ///
  /// - Throws: ``TransportError`` when the address names no single host and port.
  package func redirect(_ peer: PeerID, to endpoint: Endpoint) throws(TransportError) {
    try connection(peer.connection)?.redirect(to: endpoint)
  }

  /// Closes a socket at once and drops its unsent messages. An unknown connection is ignored.
  package func close(_ connection: ConnectionID) {
    guard let index = connections.firstIndex(where: { $0.id == connection }) else { return }
    connections.remove(at: index).close(linger: .zero)
  }

  func closeConnections(linger: Duration) {
    for connection in connections { connection.close(linger: linger) }
    connections = []
    authenticator?.close()
    authenticator = nil
  }

  /// - Parameter start: binds or connects the socket and returns the actual address.
  private func open(
    _ kind: ZeroMQSocket.Kind, _ maximumFrameBytes: Int,
    start: (ZeroMQSocket) throws(TransportError) -> Endpoint
  ) throws(TransportError) -> (ConnectionID, Endpoint) {
    var options = settings.socket
    options.maximumFrameBytes = min(options.maximumFrameBytes, maximumFrameBytes)
    let socket = try ZeroMQSocket(
      kind, context: context, options: options, security: settings.security)
    let handshakes = try socket.watchHandshakes()
    let endpoint: Endpoint
    do {
      endpoint = try start(socket)
    } catch {
      handshakes.close()
      throw error
    }
    let id = ConnectionID(number: nextConnectionNumber)
    nextConnectionNumber += 1
    connections.append(
      Connection(id: id, socket: socket, endpoint: endpoint, handshakes: handshakes))
    return (id, endpoint)
  }

  private func connection(_ id: ConnectionID) -> Connection? {
    connections.first { $0.id == id }
  }

  // MARK: Sending

  /// Sends a message without waiting. Messages to one peer are sent in order.
  ///
  /// A sent message may still be lost; only an answer of the peer shows that it arrived.
  ///
  /// - Throws: ``TransportError``: `overloaded` when too much already waits for the peer,
  ///   `peerGone` when it has left, `messageTooLarge`, `closed` when the connection was closed.
  package func send(_ message: WireMessage, to peer: PeerID) throws(TransportError) {
    guard let connection = connection(peer.connection) else {
      throw TransportError(
        .closed, "Cannot send \(message.byteCount) bytes to a peer: its connection is closed.")
    }
    do {
      try connection.send(message, to: peer.routingID)
      statistics.messagesSent += 1
      statistics.bytesSent += message.byteCount
    } catch {
      if error.code == .overloaded { statistics.messagesOverloaded += 1 }
      throw error
    }
  }

  /// Bytes that wait for a peer, at most ``SocketOptions/outstandingBytesPerPeer``: queued here, or
  /// passed to libzmq without a copy and not yet in the kernel.
  package func outstandingBytes(to peer: PeerID) -> Int {
    connection(peer.connection)?.outstandingBytes(to: peer.routingID) ?? 0
  }

  func flush(_ connection: Connection) throws(TransportError) -> [(peer: PeerID, undelivered: Int)]
  {
    let lost = try connection.flush()
    for (_, undelivered) in lost { statistics.messagesUndelivered += undelivered }
    return lost
  }

  // MARK: Receiving

  /// The next message of a connection; nil when none waits. Drops and counts invalid messages.
  func receive(_ connection: Connection) throws(TransportError) -> (WireMessage, PeerID)? {
    while true {
      switch try connection.socket.receive() {
      case .nothing:
        return nil
      case .dropped(let byteCount):
        statistics.messagesDropped += 1
        statistics.bytesDropped += byteCount
      case .message(let message, let routingID):
        statistics.messagesReceived += 1
        statistics.bytesReceived += message.byteCount
        return (message, PeerID(connection: connection.id, routingID: routingID))
      }
    }
  }
}

extension NetworkLoop {
  /// Whether peers can still find the socket. The file of a Unix socket can disappear, for instance
  /// when temporary files are cleaned up. True for other sockets.
  package func isFound(_ listener: Listener) -> Bool {
    guard case .ipc(let path) = listener.endpoint.kind else { return true }
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)
  }

  /// Binds the address of a Unix socket again after its file was removed. Connected peers stay
  /// connected to the old socket.
  ///
  /// - Throws: ``TransportError`` as ``bindRouter(_:advertisedHost:)``.
  package func listenAgain(insteadOf listener: Listener) throws(TransportError) -> Listener {
    if case .ipc(let path) = listener.endpoint.kind { EndpointLock.giveUp(path: path) }
    let former = connections.first { $0.id == listener.connection }
    return try bindRouter(
      "\(listener.endpoint)", maximumFrameBytes: former?.socket.options.maximumFrameBytes ?? .max)
  }
}
