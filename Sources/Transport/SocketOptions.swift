/// How sockets behave; every default and its reason.
public struct SocketOptions: Sendable {
  /// Largest frame that is sent or accepted, in bytes. libzmq has no limit of its own; a peer that
  /// sends more is cut off. A whole table of trainable 4096-d features (7,050 rows, 115 MB) fits;
  /// at 100 Mbit/s a frame of this size takes 22 seconds, below ``heartbeatTimeout``.
  public var maximumFrameBytes = 256 << 20
  /// Most frames that a message may have; longer ones are dropped and counted.
  public var maximumFrames = 8
  /// Bytes that may wait for one peer: queued here, or handed to libzmq without a copy and not yet
  /// in the kernel. libzmq's own limits count messages, which bounds no memory.
  public var outstandingBytesPerPeer = 1 << 30
  /// The same for all peers of a socket together.
  public var outstandingBytes = 4 << 30
  /// When so many bytes wait for all peers of a listening socket, a peer for which something waits
  /// already gets small messages only. So those that read slowly, or never, leave room for those
  /// that take what they ask for.
  public var crowdedBytes = 128 << 20
  /// Messages that libzmq queues for a peer before the queue here begins. Those below
  /// ``zeroCopySendBytes`` are not counted there, so this bounds their memory.
  public var sendHighWaterMark = 100
  /// Messages that libzmq reads ahead from a peer before it stops reading.
  public var receiveHighWaterMark = 64
  /// How long unsent messages survive the closing of a socket. libzmq's default is for ever.
  public var linger = Duration.zero
  /// A connection on which a ping is not answered in ``heartbeatTimeout`` is closed. The answer
  /// waits behind a message that is under way, so this must be longer than the largest one takes:
  /// otherwise a slow network closes the connection in the middle of it, again and again.
  public var heartbeatInterval = Duration.seconds(2)
  public var heartbeatTimeout = Duration.seconds(30)
  /// How long the remote side waits for our next ping before it closes the connection.
  public var heartbeatTimeToLive = Duration.seconds(30)
  /// How long sent bytes may go without the remote machine's acknowledgement before the connection
  /// is closed: what notices a network that is cut, however large a message is. Since Linux 5.11 it
  /// is also closed when the peer has read nothing for so long.
  public var acknowledgementTimeout = Duration.seconds(10)
  /// How long an attempt to connect may take. Without it an attempt that began while the network
  /// was cut waits for the system's next try, which is up to a minute away.
  public var connectTimeout = Duration.seconds(2)
  /// First pause before a lost connection is tried again; it doubles up to the maximum.
  public var reconnectInterval = Duration.milliseconds(100)
  public var reconnectIntervalMaximum = Duration.seconds(5)
  /// How long a connecting peer may take to say that it speaks ZeroMQ.
  public var handshakeTimeout = Duration.seconds(5)
  public var keepsTCPAlive = true
  /// Also look up and accept IPv6 addresses; implied by an endpoint such as `tcp://[::1]:4000`.
  public var allowsIPv6 = false
  /// Frames of at least this many bytes are sent without a copy, and counted until the kernel has
  /// them; below, the copy is cheaper than the bookkeeping.
  public var zeroCopySendBytes = 4 << 10
  /// Received frames of at least this many bytes are kept where libzmq put them. Smaller ones are
  /// copied, because they would keep the read buffer that they share with others alive.
  public var zeroCopyReceiveBytes = 4 << 10

  public init() {}
}
