/// How a loop behaves.
public struct NetworkLoopSettings: Sendable {
  public var socket = SocketOptions()
  /// What protects the connections.
  public var security = Security.plain()
  /// Told, on the loop's thread, of what a log should know and no handler needs. May come as often
  /// as strangers like.
  public var report: @Sendable (NetworkIncident) -> Void = { _ in }
  /// Called on the loop's thread with every tick: the loop does not hang.
  public var live: @Sendable () -> Void = {}
  /// Time between two ticks. Late ticks are not made up for.
  public var tickInterval = Duration.milliseconds(50)
  /// Events of other threads that may wait.
  public var mailboxCapacity = 65_536
  /// How long a stopping loop tries to get its messages out.
  public var drainTime = Duration.seconds(1)
  /// Messages taken from one socket before the others, events and ticks have their turn.
  public var messagesPerTurn = 64
  /// Pause before a slow peer of a bound socket is tried again. libzmq says only that *some* peer
  /// of such a socket takes messages, so waiting for that would spin.
  public var retryInterval = Duration.milliseconds(2)

  public init() {}
}
