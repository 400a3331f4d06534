/// How long the coordinator waits for what. Seconds.
public struct CoordinationTiming: Sendable, Equatable {
  /// How often every node shows a sign of life.
  public var heartbeatInterval: Double
  /// After how much silence a node counts as lost.
  public var heartbeatTimeout: Double
  /// How long all nodes together may take to join and to set themselves up, at the beginning and
  /// after a loss.
  public var startupTimeout: Double
  /// How long a stop may take for a last checkpoint.
  public var stopTimeout: Double

  public init(
    heartbeatInterval: Double = 1, heartbeatTimeout: Double = 15, startupTimeout: Double = 600,
    stopTimeout: Double = 30
  ) {
    self.heartbeatInterval = heartbeatInterval
    self.heartbeatTimeout = heartbeatTimeout
    self.startupTimeout = startupTimeout
    self.stopTimeout = stopTimeout
  }
}
