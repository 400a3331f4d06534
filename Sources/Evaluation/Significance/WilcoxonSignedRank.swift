internal import Foundation

/// Wilcoxon's signed-rank test on paired differences, two-sided: are they as often and as far above
/// zero as below?
///
/// Zero differences are left out. The sizes of the others are ranked, equal ones by their mean
/// rank; W is the smaller of the sums of the ranks of positive and of negative differences. With n
/// differences and ties of t each,
///
///     z = (W − n(n+1)/4) / √(n(n+1)(2n+1)/24 − Σ(t³ − t)/48),   p = 2 Φ(−|z|),
///
/// the normal approximation with correction for ties and none for continuity: right for more than
/// some tens of users.
///
/// - Source: Wilcoxon (1945); the numbers are those of SciPy's `wilcoxon` with
///   `zero_method="wilcox", correction=False, method="asymptotic"`. Deviations: differences are
///   compared after rounding to 12 decimals, because fractions such as 1/2 − 1/3 and 1/3 − 1/6 are
///   equal but not in binary; if all are zero, z = 0 and p = 1.
public struct WilcoxonSignedRank: Sendable, Equatable {
  /// W.
  public let statistic: Double
  public let z: Double
  public let pValue: Double
  /// n, the differences that are not zero.
  public let count: Int

  /// - Precondition: all differences are finite.
  public init(differences: [Double]) {
    precondition(differences.allSatisfy(\.isFinite))
    let sorted = differences.map { ($0 * 1e12).rounded() }.filter { $0 != 0 }
      .sorted { $0.magnitude < $1.magnitude }
    var positive = 0.0
    var negative = 0.0
    var tieTerm = 0.0
    var first = 0
    while first < sorted.count {
      var next = first
      while next < sorted.count, sorted[next].magnitude == sorted[first].magnitude { next += 1 }
      let ties = Double(next - first)
      let rank = Double(first + next + 1) / 2
      let above = Double(sorted[first..<next].count { $0 > 0 })
      positive += above * rank
      negative += (ties - above) * rank
      tieTerm += ties * ties * ties - ties
      first = next
    }
    let n = Double(sorted.count)
    count = sorted.count
    statistic = min(positive, negative)
    let variance = n * (n + 1) * (2 * n + 1) / 24 - tieTerm / 48
    z = variance > 0 ? (statistic - n * (n + 1) / 4) / variance.squareRoot() : 0
    pValue = erfc(z.magnitude / 2.0.squareRoot())
  }
}
