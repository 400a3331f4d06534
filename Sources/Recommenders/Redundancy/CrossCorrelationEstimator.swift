import Settings
import Tables
import Tensors

/// Squared correlations between the two sets of vectors: linear redundancy only, but without a
/// discriminator and deterministic.
public struct CrossCorrelationEstimator: RedundancyEstimator {
  public static let name = "xcorr"

  public init(_ settings: SettingValues<NoSettings>) {}

  public func tables(prefix: String, width: Int) -> [TableSpec] { [] }

  public func record(
    on tape: Tape, left: Variable, right: Variable, discriminator: [Variable], shift: Int,
    average: Float?
  ) -> RedundancyTerms {
    RedundancyTerms(
      estimate: tape.squaredCrossCorrelation(left, right), discriminatorLoss: nil)
  }
}
