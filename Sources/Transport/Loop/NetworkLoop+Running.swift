internal import CZeroMQ

extension NetworkLoop {
  /// Runs the loop until ``stop()`` is called or the ``mailbox`` is closed. Then sends what is
  /// queued, for at most ``NetworkLoopSettings/drainTime``, and closes all connections.
  ///
  /// - Throws: the error of ``NetworkHandler/started(on:)``, or ``TransportError`` when a socket
  ///   fails permanently.
  package func run(_ handler: some NetworkHandler<Event>) throws {
    defer {
      mailbox.close()
      closeConnections(linger: settings.socket.linger)
    }
    try handler.started(on: self)
    defer { handler.ended(on: self) }
    nextTick = MonotonicClock.now + settings.tickInterval
    while !isStopping {
      let ready = try poll(until: nextTick)
      if ready.hasQuestions { try admitPeers() }
      if ready.hasEvents { try deliverEvents(to: handler, isBehind: !ready.readable.isEmpty) }
      var isCutShort = false
      for connection in ready.readable where !isStopping {
        if try !deliverMessages(of: connection, to: handler) { isCutShort = true }
      }
      for connection in connections where connection.hasQueuedMessages {
        for (peer, undelivered) in try flush(connection) {
          handler.lost(peer, undelivered: undelivered, on: self)
        }
      }
      try tickIfDue(handler, isBehind: isCutShort)
    }
    try drain()
  }

  /// Ticks when a tick is due. Also called between two messages: heartbeats must not wait until a
  /// long turn is over.
  private func tickIfDue(_ handler: some NetworkHandler<Event>, isBehind: Bool) throws {
    let now = MonotonicClock.now
    guard now >= nextTick, !isStopping else { return }
    self.isBehind = isBehind
    settings.live()
    handler.ticked(at: now, on: self)
    for connection in connections { connection.forgetIdlePeers() }
    try lookAfterHandshakes(at: now)
    nextTick = now + settings.tickInterval
  }

  private func deliverEvents(
    to handler: some NetworkHandler<Event>, isBehind: Bool
  ) throws {
    let (events, isClosed) = mailbox.drain()
    for event in events where !isStopping {
      handler.posted(event, on: self)
      try tickIfDue(handler, isBehind: isBehind)
    }
    if isClosed { stop() }
  }

  /// - Returns: whether all messages of the connection were delivered.
  private func deliverMessages(
    of connection: Connection, to handler: some NetworkHandler<Event>
  ) throws -> Bool {
    for _ in 0..<settings.messagesPerTurn {
      // The handler may have closed the connection.
      guard !isStopping, connection.socket.pointer != nil,
        let (message, peer) = try receive(connection)
      else { return true }
      handler.received(message, from: peer, on: self)
      try tickIfDue(handler, isBehind: true)
    }
    return false
  }

  /// Sends what is queued here and in libzmq, for a bounded time.
  private func drain() throws(TransportError) {
    let deadline = MonotonicClock.now + settings.drainTime
    while connections.contains(where: \.hasQueuedMessages), MonotonicClock.now < deadline {
      for connection in connections { _ = try flush(connection) }
      _ = try poll(until: min(deadline, MonotonicClock.now + settings.retryInterval), reads: false)
    }
    closeConnections(linger: max(.zero, deadline - MonotonicClock.now))
  }

  /// What is ready after a wait.
  private struct Readiness {
    /// Events of other threads wait.
    var hasEvents = false
    /// libzmq asks whether a peer may connect.
    var hasQuestions = false
    var readable: [Connection] = []
  }

  /// Waits until a socket or the mailbox is ready, a queued message can be retried, or `time`.
  private func poll(
    until time: Duration, reads: Bool = true
  ) throws(TransportError) -> Readiness {
    var deadline = time
    var items: [zmq_pollitem_t] = []
    items.reserveCapacity(connections.count + 2)
    for connection in connections {
      var interest = reads ? ZMQ_POLLIN : 0
      if connection.hasQueuedMessages {
        switch connection.socket.kind {
        case .dealer: interest |= ZMQ_POLLOUT
        case .router: deadline = min(deadline, MonotonicClock.now + settings.retryInterval)
        }
      }
      items.append(
        zmq_pollitem_t(
          socket: connection.socket.pointer, fd: 0, events: CShort(interest), revents: 0))
    }
    items.append(
      zmq_pollitem_t(
        socket: nil, fd: mailbox.signal.descriptor, events: CShort(reads ? ZMQ_POLLIN : 0),
        revents: 0))
    if let authenticator {
      items.append(
        zmq_pollitem_t(
          socket: authenticator.pointer, fd: 0, events: CShort(reads ? ZMQ_POLLIN : 0),
          revents: 0))
    }

    let wait = max(.zero, deadline - MonotonicClock.now).millisecondsRoundedUp
    do {
      _ = try valueOrErrno(retryOnInterrupt: false) {
        zmq_poll(&items, CInt(items.count), wait)
      }
    } catch .interrupted {
      return Readiness()
    } catch {
      throw TransportError(error, attempt: "wait for messages on \(connections.count) sockets")
    }
    let isReadable = items.map { $0.revents & CShort(ZMQ_POLLIN) != 0 }
    return Readiness(
      hasEvents: isReadable[connections.count],
      hasQuestions: authenticator != nil && isReadable[connections.count + 1],
      readable: zip(connections, isReadable).filter(\.1).map(\.0))
  }
}
