/// What an epoch of training reported.
public struct EpochSummary: Sendable, Equatable, Codable {
  /// Counted from 0.
  public var epoch: UInt32
  /// The version of the tables after the epoch.
  public var version: UInt64
  /// `loss.…` and `stat.…` are means over the steps, everything else sums over the epoch.
  public var values: [String: Double]
  /// From the first task sent to the last one done.
  public var seconds: Double

  public init(epoch: UInt32, version: UInt64, values: [String: Double], seconds: Double) {
    self.epoch = epoch
    self.version = version
    self.values = values
    self.seconds = seconds
  }
}
