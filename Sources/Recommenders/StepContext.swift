/// The position in a run for which a shard's gradient is computed. Together with the parameters and
/// the data it determines every bit of the gradient.
public struct StepContext: Sendable, Equatable {
  public var seed: UInt64
  public var epoch: Int
  /// The step within its epoch.
  public var step: Int
  public var shard: Int
  /// Whether this is the step's last round, in which the model itself is updated. Earlier rounds
  /// only train the discriminator.
  public var isFinalRound: Bool

  public init(seed: UInt64, epoch: Int, step: Int, shard: Int = 0, isFinalRound: Bool = true) {
    self.seed = seed
    self.epoch = epoch
    self.step = step
    self.shard = shard
    self.isFinalRound = isFinalRound
  }
}
