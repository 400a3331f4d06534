internal import Foundation

/// What two modalities say about choices, divided into four parts, in nats per choice.
///
/// I_v, I_t, I_+ and I are how much more likely, per choice, the predictors with one modality, with
/// both but without interactions between them, and with both and interactions are than popularity:
///
///     synergistic  S = (I − I_+) + max(0, I_+ − I_v − I_t)
///     redundant    R = max(0, I_v + I_t − I_+)
///     unique       U_v = I_v − R,  U_t = I_t − R
///
/// so that R + U_v = I_v, R + U_t = I_t and R + U_v + U_t + S = I, as Williams and Beer ask of a
/// decomposition.
///
/// - Source: synergy as the divergence from the log-linear family without interactions of the
///   sources: Amari 2001 (IEEE Trans. Inf. Theory 47); Perrone and Ay 2016,
///   doi:10.3389/frobt.2015.00035.
///   Deviation: an excess of I_+ over the sum of both (one modality cleans the noise of the other)
///   counts as synergy, because it needs both, and redundancy is then 0.
package struct InformationAtoms: Sendable, Equatable {
  /// I_v.
  package let first: Double
  /// I_t.
  package let second: Double
  /// I_+.
  package let additive: Double
  /// I.
  package let together: Double

  package init(first: Double, second: Double, additive: Double, together: Double) {
    self.first = first
    self.second = second
    self.additive = additive
    self.together = together
  }

  /// R.
  package var redundant: Double { max(0, first + second - additive) }
  /// U_v.
  package var uniqueFirst: Double { first - redundant }
  /// U_t.
  package var uniqueSecond: Double { second - redundant }
  /// S.
  package var synergistic: Double { together - first - second + redundant }
}

/// Redundancy by other definitions, from the same predictors, for comparison.
package struct OtherRedundancies: Sendable, Equatable {
  /// min(I_v, I_t).
  ///
  /// - Source: Barrett 2015, arXiv:1411.2832 (for Gaussians with one target).
  package let smaller: Double
  /// Σ_y p(y) min over modalities of the information about the outcome y, outcomes being items.
  ///
  /// - Source: Williams and Beer 2010, arXiv:1004.2515 (I_min).
  package let specific: Double
  /// The mean over choices of i_v + i_t − i where it, i_v, i_t and i have one sign, else 0.
  ///
  /// - Source: Ince 2017, arXiv:1602.05063 (I_ccs), without its maximum-entropy distribution: i is
  ///   that of the fitted predictor.
  package let pointwise: Double

  /// One choice: the item, and how much more likely three predictors are than popularity, nats.
  struct Choice {
    let item: Int32
    let first: Double
    let second: Double
    let together: Double
  }

  init(_ choices: [Choice]) {
    let count = Double(max(1, choices.count))
    smaller =
      min(
        choices.reduce(0) { $0 + $1.first }, choices.reduce(0) { $0 + $1.second }) / count
    var sums: [Int32: SIMD2<Double>] = [:]
    for choice in choices { sums[choice.item, default: .zero] += [choice.first, choice.second] }
    // Sorted, because a sum in another order has other bits.
    specific = sums.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value.min() } / count
    pointwise =
      choices.reduce(0) { sum, choice in
        let common = choice.first + choice.second - choice.together
        let signs = [choice.first, choice.second, choice.together, common].map(\.sign)
        return sum + (Set(signs).count == 1 ? common : 0)
      } / count
  }
}
