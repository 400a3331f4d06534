import Protocol

/// A socket with a bounded queue for every peer.
final class Connection {
  let id: ConnectionID
  let socket: ZeroMQSocket
  /// The address at which the socket listens or to which it connects.
  private(set) var endpoint: Endpoint
  let handshakes: HandshakeMonitor
  var ledger: HandshakeLedger
  /// When to connect again after a refusal.
  var reconnectsAt: Duration?
  private var queues: [[UInt8]: OutgoingQueue] = [:]
  /// Bytes that wait for all peers.
  private let outstanding = ByteCount()
  /// Peers with queued messages.
  private var waiting: Set<[UInt8]> = []

  /// - Parameter handshakes: of `socket`, made before the socket was bound or connected.
  init(
    id: ConnectionID, socket: ZeroMQSocket, endpoint: Endpoint, handshakes: HandshakeMonitor
  ) {
    self.id = id
    self.socket = socket
    self.endpoint = endpoint
    self.handshakes = handshakes
    ledger = HandshakeLedger(handshakeTimeout: socket.options.handshakeTimeout)
  }

  deinit { close(linger: .zero) }

  /// Closes the socket; unsent messages may still be sent for `linger`.
  func close(linger: Duration) {
    handshakes.close()
    socket.close(linger: linger)
  }

  /// Connects to another address in place of the former one. Messages that libzmq has not sent yet
  /// are lost, as when a connection breaks.
  func redirect(to endpoint: Endpoint) throws(TransportError) {
    reconnectsAt = nil
    try socket.reconnect(endpoint, insteadOf: self.endpoint)
    self.endpoint = endpoint
  }

  var hasQueuedMessages: Bool { !waiting.isEmpty }

  func outstandingBytes(to routingID: [UInt8]) -> Int {
    queues[routingID]?.outstandingBytes ?? 0
  }

  /// Sends a message, or queues it while the peer accepts no more.
  ///
  /// - Throws: ``TransportError`` `overloaded`, `messageTooLarge` or `peerGone`.
  func send(_ message: WireMessage, to routingID: [UInt8]) throws(TransportError) {
    try checkFrames(of: message)
    let queue = queues[routingID] ?? OutgoingQueue(total: outstanding)
    try checkRoom(for: message, in: queue)
    let outcome =
      queue.isEmpty
      ? try socket.send(message, to: routingID, pinned: queue.pinned) : .wouldBlock
    switch outcome {
    case .sent:
      queues[routingID] = queue
    case .wouldBlock:
      queue.append(message)
      queues[routingID] = queue
      waiting.insert(routingID)
    case .unreachable:
      throw TransportError(
        .peerGone,
        "Cannot send \(message.byteCount) bytes to a peer: it is not connected; it has left or was"
          + " never there.")
    }
  }

  private func checkRoom(
    for message: WireMessage, in queue: OutgoingQueue
  ) throws(TransportError) {
    let options = socket.options
    guard queue.hasRoom(for: message, limit: options.outstandingBytesPerPeer) else {
      throw TransportError(
        .overloaded,
        "Cannot send \(message.byteCount) bytes to a peer: \(queue.outstandingBytes) of at most"
          + " \(options.outstandingBytesPerPeer) bytes already wait for it; send again when it has"
          + " answered.")
    }
    let others = outstanding.value
    let isCrowded = socket.kind == .router && others > options.crowdedBytes
    let isFull = others > 0 && others + OutgoingQueue.cost(of: message) > options.outstandingBytes
    guard !isFull, !isCrowded || queue.isServedInCrowd(message) else {
      throw TransportError(
        .overloaded,
        "Cannot send \(message.byteCount) bytes to a peer: \(others) bytes wait for all peers,"
          + " \(queue.outstandingBytes) of them for this one; send again when they have read some.")
    }
  }

  /// Sends queued messages as far as peers accept them.
  ///
  /// - Returns: peers that left, with the number of their messages that were not sent.
  func flush() throws(TransportError) -> [(peer: PeerID, undelivered: Int)] {
    var lost: [(peer: PeerID, undelivered: Int)] = []
    for routingID in waiting {
      while let queue = queues[routingID], let message = queue.first {
        let outcome = try socket.send(message, to: routingID, pinned: queue.pinned)
        if outcome == .wouldBlock { break }
        if outcome == .unreachable {
          lost.append((PeerID(connection: id, routingID: routingID), queue.count))
          queues[routingID] = nil
          break
        }
        queue.removeFirst()
      }
      if queues[routingID]?.isEmpty ?? true { waiting.remove(routingID) }
    }
    return lost
  }

  /// Removes the queues of peers with no outstanding bytes; a long run may have had many peers.
  func forgetIdlePeers() {
    queues = queues.filter { !$0.value.isIdle }
  }

  /// A larger frame would make the receiver close the connection, after every reconnect again.
  private func checkFrames(of message: WireMessage) throws(TransportError) {
    let limit = socket.options.maximumFrameBytes
    for frame in message.frames where frame.byteCount > limit {
      throw TransportError(
        .messageTooLarge,
        "Cannot send a frame of \(frame.byteCount) bytes: peers accept at most \(limit); split the"
          + " message, or raise the maximum frame size of all processes.")
    }
  }
}
