public import Messages

/// Owns every socket of a process and the thread's time: takes messages, ticks and events in turn
/// and hands them to a ``NetworkHandler``.
///
/// Not `Sendable`: it stays on the thread that made it. Others reach it through its ``mailbox``.
public final class NetworkLoop<Event: Sendable> {
  public let mailbox: Mailbox<Event>
  public let settings: NetworkLoopSettings
  public private(set) var statistics = TransportStatistics()
  let context: ZeroMQContext
  /// In the order of their making, which is the order in which they are served.
  private(set) var connections: [Connection] = []
  private var nextConnectionNumber: UInt32 = 0
  private(set) var isStopping = false

  /// - Throws: ``TransportError`` when the operating system gives no event descriptor.
  public convenience init(
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

  /// Ends ``run(_:)`` after the call under way.
  public func stop() { isStopping = true }

  /// Counts a message that the handler could not decode.
  public func recordMalformedMessage() { statistics.messagesMalformed += 1 }

  // MARK: Connections

  /// A socket that listens.
  public struct Listener: Sendable {
    public let connection: ConnectionID
    /// Where it listens, with the port that it got.
    public let endpoint: Endpoint
    /// Where others reach it.
    public let advertised: Endpoint
  }

  /// Listens for peers.
  ///
  /// - Parameters:
  ///   - endpoint: such as `tcp://0.0.0.0:4000`, `tcp://127.0.0.1:*` (a free port) or
  ///     `ipc:///run/mrdib/7/server`.
  ///   - host: at which others reach this machine, when `endpoint` does not say it.
  /// - Throws: ``TransportError`` when the address is malformed, in use, not this machine's, or
  ///   not allowed.
  public func bindRouter(
    _ endpoint: String, advertisedHost host: String? = nil
  ) throws(TransportError) -> Listener {
    let wanted = try Endpoint(endpoint)
    let socket = try ZeroMQSocket(.router, context: context, options: settings.socket)
    let actual = try socket.bind(wanted)
    return Listener(
      connection: add(socket).id, endpoint: actual,
      advertised: host.map { actual.at(host: $0) } ?? actual)
  }

  /// Connects to a peer, which need not be there yet; lost connections are made again.
  ///
  /// - Throws: ``TransportError`` when the address is malformed or names no single place.
  public func connectDealer(_ endpoint: String) throws(TransportError) -> PeerID {
    let target = try Endpoint(endpoint)
    let socket = try ZeroMQSocket(.dealer, context: context, options: settings.socket)
    try socket.connect(target)
    return PeerID(connection: add(socket).id, routingID: [])
  }

  /// Closes a socket at once, with whatever it has not sent. An unknown one is ignored.
  public func close(_ connection: ConnectionID) {
    guard let index = connections.firstIndex(where: { $0.id == connection }) else { return }
    connections.remove(at: index).socket.close(linger: .zero)
  }

  func closeConnections(linger: Duration) {
    for connection in connections { connection.socket.close(linger: linger) }
    connections = []
  }

  private func add(_ socket: ZeroMQSocket) -> Connection {
    let connection = Connection(id: ConnectionID(number: nextConnectionNumber), socket: socket)
    nextConnectionNumber += 1
    connections.append(connection)
    return connection
  }

  private func connection(_ id: ConnectionID) -> Connection? {
    connections.first { $0.id == id }
  }

  // MARK: Sending

  /// Sends a message without waiting. Messages to one peer leave in order.
  ///
  /// That it was sent does not mean that it will arrive: only the peer's answer says so.
  ///
  /// - Throws: ``TransportError``: `overloaded` when too much already waits for the peer,
  ///   `peerGone` when it has left, `messageTooLarge`, `closed` when the connection is no more.
  public func send(_ message: WireMessage, to peer: PeerID) throws(TransportError) {
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

  /// Bytes that wait for a peer, of at most ``SocketOptions/outstandingBytesPerPeer``: queued, or
  /// handed to libzmq without a copy and not yet in the kernel.
  public func outstandingBytes(to peer: PeerID) -> Int {
    connection(peer.connection)?.outstandingBytes(to: peer.routingID) ?? 0
  }

  func flush(_ connection: Connection) throws(TransportError) -> [(peer: PeerID, undelivered: Int)]
  {
    let lost = try connection.flush()
    for (_, undelivered) in lost { statistics.messagesUndelivered += undelivered }
    return lost
  }

  // MARK: Receiving

  /// The next message of a connection; nil when none waits. Drops and counts what cannot be right.
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
