internal import Autodiff
internal import Tables

/// Squared correlations between the two sets of vectors: linear redundancy only, but without a
/// discriminator and deterministic.
struct CrossCorrelationEstimator: RedundancyEstimator {
  func tables(prefix: String, width: Int) -> [TableSpec] { [] }

  func record(
    on tape: Tape, left: Variable, right: Variable, discriminator: [Variable], shift: Int,
    average: Float?
  ) -> RedundancyTerms {
    RedundancyTerms(
      estimate: tape.squaredCrossCorrelation(left, right), discriminatorLoss: nil)
  }
}
