extension NetworkLoop {
  /// Answers libzmq's questions whether a peer may connect.
  func admitPeers() throws(TransportError) {
    guard let authenticator else { return }
    for refusal in try authenticator.answer(atMost: settings.messagesPerTurn) {
      statistics.keysRefused += 1
      settings.report(.keyRefused(refusal.key, address: refusal.address))
    }
  }

  /// Counts and reports failed handshakes, and retries connections that were refused.
  func lookAfterHandshakes(at now: Duration) throws(TransportError) {
    let accepted = ConnectionGuard.acceptedCount
    var isListening = false
    for connection in connections {
      switch connection.socket.kind {
      case .router:
        try lookAfterListening(connection, at: now)
        isListening = true
      case .dealer: try lookAfterConnecting(connection, at: now)
      }
    }
    guard isListening else { return }
    ConnectionGuard.acknowledge(accepted)
    if let closed = ConnectionGuard.takeClosed() { note(closed) }
  }

  private func note(_ closed: ConnectionGuard.Closed) {
    statistics.connectionsDisplaced += closed.displaced
    statistics.connectionsRefused += closed.refused
    statistics.connectionsOversized += closed.oversized
    settings.report(.connectionsLimited(closed))
  }

  private func lookAfterListening(
    _ connection: Connection, at now: Duration
  ) throws(TransportError) {
    while let event = try connection.handshakes.next() {
      switch event {
      case .accepted:
        connection.ledger.accepted(at: now)
      case .succeeded:
        connection.ledger.concluded()
      case .failed(let cause):
        connection.ledger.concluded()
        // The authenticator has already reported a refused key, with more detail.
        if cause != .keyNotAllowed { note(cause, of: connection) }
      }
    }
    for _ in 0..<connection.ledger.takeSilent(at: now) { note(.otherProtocol, of: connection) }
  }

  private func lookAfterConnecting(
    _ connection: Connection, at now: Duration
  ) throws(TransportError) {
    while let event = try connection.handshakes.next() {
      switch event {
      case .accepted:
        break
      case .succeeded:
        connection.reconnectsAt = nil
        settings.report(.connected)
      case .failed(let cause):
        note(cause, of: connection)
        // libzmq reconnects by itself only when the other side has closed the connection.
        if cause != .hungUp {
          connection.reconnectsAt = now + settings.socket.reconnectIntervalMaximum
        }
      }
    }
    guard let time = connection.reconnectsAt, now >= time else { return }
    try connection.redirect(to: connection.endpoint)
  }

  private func note(_ cause: HandshakeFailure.Cause, of connection: Connection) {
    statistics.handshakesFailed += 1
    settings.report(
      .handshakeFailed(
        HandshakeFailure(
          endpoint: connection.endpoint, isListening: connection.socket.kind == .router,
          isEncrypted: settings.security.isEncrypted, cause: cause)))
  }
}
