/// What an evaluation measured.
public struct EvaluationSummary: Sendable, Equatable, Codable {
  /// The epoch after which the evaluation took place.
  public var epoch: UInt32
  /// The version of the tables that was evaluated.
  public var version: UInt64
  /// Means over the users of a split, unrounded, by `SPLIT.METRIC` such as `valid.recall@20`.
  public var metrics: [String: Double]
  /// How many users each split had, by split.
  public var users: [String: Double]
  public var materializeSeconds: Double
  public var rankSeconds: Double

  public init(
    epoch: UInt32, version: UInt64, metrics: [String: Double], users: [String: Double],
    materializeSeconds: Double, rankSeconds: Double
  ) {
    self.epoch = epoch
    self.version = version
    self.metrics = metrics
    self.users = users
    self.materializeSeconds = materializeSeconds
    self.rankSeconds = rankSeconds
  }

  public var seconds: Double { materializeSeconds + rankSeconds }
}
