package import Autodiff
package import Tables

/// Squared correlations between the two sets of vectors: linear redundancy only, but without a
/// discriminator and deterministic.
package struct CrossCorrelationEstimator: RedundancyEstimator {
  package func tables(prefix: String, width: Int) -> [TableSpec] { [] }

  package func record(
    on tape: Tape, left: Variable, right: Variable, discriminator: [Variable], shift: Int,
    average: Float?
  ) -> RedundancyTerms {
    RedundancyTerms(
      estimate: tape.squaredCrossCorrelation(left, right), discriminatorLoss: nil)
  }
}
