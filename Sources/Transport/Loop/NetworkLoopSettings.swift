/// Settings of a loop.
package struct NetworkLoopSettings: Sendable {
  package var socket = SocketOptions()
  /// How connections are protected.
  package var security = Security.plain()
  /// Called on the loop's thread with incidents for the log. Unauthenticated peers can cause any
  /// number of them, so the receiver must limit what it logs.
  package var report: @Sendable (NetworkIncident) -> Void = { _ in }
  /// Called on the loop's thread with every tick, as a sign that the loop does not hang.
  package var live: @Sendable () -> Void = {}
  /// Time between two ticks. Missed ticks are not repeated.
  package var tickInterval = Duration.milliseconds(50)
  /// Most events of other threads that may wait.
  package var mailboxCapacity = 65_536
  /// How long a stopping loop tries to send its queued messages.
  package var drainTime = Duration.seconds(1)
  /// Most messages received from one socket before the next socket's turn.
  package var messagesPerTurn = 64
  /// Pause before sending to a slow peer of a bound socket is retried. libzmq reports only that
  /// *some* peer of the socket accepts messages, so polling for that would spin.
  package var retryInterval = Duration.milliseconds(2)

  package init() {}
}

/// Settings of sockets; every default with its reason.
package struct SocketOptions: Sendable {
  /// Largest frame that is sent or accepted, in bytes. libzmq has no limit by default; a peer that
  /// sends more is disconnected. A whole table of trainable 4096-d features (7,050 rows, 115 MB)
  /// fits; at 100 Mbit/s a frame of this size takes 22 seconds, below ``heartbeatTimeout``.
  package var maximumFrameBytes = 256 << 20
  /// Most frames of a message; longer messages are dropped and counted.
  package var maximumFrames = 8
  /// Bytes that may wait for one peer: queued here, or passed to libzmq without a copy and not yet
  /// in the kernel. libzmq's own limits count messages and so do not bound memory.
  package var outstandingBytesPerPeer = 1 << 30
  /// The same for all peers of a socket together.
  package var outstandingBytes = 4 << 30
  /// When this many bytes wait for all peers of a listening socket, peers with outstanding bytes
  /// are sent small messages only. So peers that read slowly or never leave room for the others.
  package var crowdedBytes = 128 << 20
  /// Messages that libzmq queues for a peer; more are queued here. Messages below
  /// ``zeroCopySendBytes`` are not counted in libzmq's queue, so this limit bounds their memory.
  package var sendHighWaterMark = 100
  /// Messages that libzmq reads ahead from a peer before it stops reading.
  package var receiveHighWaterMark = 64
  /// How long unsent messages survive the closing of a socket. libzmq's default is for ever.
  package var linger = Duration.zero
  /// A connection on which a ping is not answered within ``heartbeatTimeout`` is closed. The answer
  /// waits behind a message that is being sent, so the timeout must be longer than the largest
  /// message takes. Otherwise a slow network breaks the connection during every large message.
  package var heartbeatInterval = Duration.seconds(2)
  package var heartbeatTimeout = Duration.seconds(30)
  /// How long the remote side waits for our next ping before it closes the connection.
  package var heartbeatTimeToLive = Duration.seconds(30)
  /// How long sent bytes may stay unacknowledged by the remote machine before the connection is
  /// closed. This detects a broken network, however large a message is. Since Linux 5.11 the
  /// connection is also closed when the peer has read nothing for this time.
  package var acknowledgementTimeout = Duration.seconds(10)
  /// How long an attempt to connect may take. Without this timeout, an attempt that began while the
  /// network was down waits up to a minute for the system's next retry.
  package var connectTimeout = Duration.seconds(2)
  /// First pause before a lost connection is retried; it doubles up to the maximum.
  package var reconnectInterval = Duration.milliseconds(100)
  package var reconnectIntervalMaximum = Duration.seconds(5)
  /// How long a peer's handshake may take.
  package var handshakeTimeout = Duration.seconds(5)
  package var keepsTCPAlive = true
  /// Whether IPv6 addresses are used too; implied by an endpoint such as `tcp://[::1]:4000`.
  package var allowsIPv6 = false
  /// Frames of at least this many bytes are sent without a copy and counted until the kernel has
  /// them; for smaller frames a copy is cheaper than the bookkeeping.
  package var zeroCopySendBytes = 4 << 10
  /// Received frames of at least this many bytes stay in libzmq's memory. Smaller frames are
  /// copied, because they would keep the read buffer that they share with others in memory.
  package var zeroCopyReceiveBytes = 4 << 10

  package init() {}
}
