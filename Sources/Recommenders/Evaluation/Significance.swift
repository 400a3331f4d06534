internal import Foundation

/// Student's t-test on paired differences, two-sided: could their mean be zero?
///
/// t = d̄ / (s/√n) with the sample deviation s (divisor n − 1), compared with Student's
/// distribution of n − 1 degrees of freedom: p = I_{ν/(ν+t²)}(ν/2, 1/2).
///
/// - Source: Student (1908); the numbers are those of SciPy's `ttest_rel`. Deviation: equal
///   samples, whose t is 0/0, give t = 0 and p = 1.
public struct PairedTTest: Sendable, Equatable {
  public let statistic: Double
  /// n − 1.
  public let degreesOfFreedom: Int
  public let pValue: Double

  /// Nil for fewer than two differences.
  ///
  /// - Precondition: all differences are finite.
  public init?(differences: [Double]) {
    guard differences.count > 1 else { return nil }
    precondition(differences.allSatisfy(\.isFinite))
    let count = Double(differences.count)
    let mean = differences.reduce(0, +) / count
    let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / (count - 1) / count).squareRoot()
    degreesOfFreedom = differences.count - 1
    guard error > 0 else {
      statistic = mean == 0 ? 0 : (mean > 0 ? .infinity : -.infinity)
      pValue = mean == 0 ? 1 : 0
      return
    }
    let t = mean / error
    let freedom = count - 1
    statistic = t
    pValue =
      t.magnitude < 1e150
      ? RegularizedBeta.value(freedom / (freedom + t * t), freedom / 2, 0.5) : 0
  }
}

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

/// The regularized incomplete beta function I_x(a, b), the distribution function behind Student's
/// t.
///
/// - Source: the continued fraction DLMF 8.17.22, evaluated from the front by the modified Lentz
///   method; it converges fast for x < (a+1)/(a+b+2), and I_x(a, b) = 1 − I_{1−x}(b, a) leads
///   there.
enum RegularizedBeta {
  /// - Precondition: `a > 0`, `b > 0`, `0 <= x <= 1`.
  static func value(_ x: Double, _ a: Double, _ b: Double) -> Double {
    precondition(a > 0 && b > 0 && (0...1).contains(x), "I_\(x)(\(a), \(b))")
    if x == 0 || x == 1 { return x }
    if x > (a + 1) / (a + b + 2) { return 1 - value(1 - x, b, a) }
    let logFactor = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
    return exp(logFactor) / (a * continuedFraction(x, a, b))
  }

  /// 1 + d₁/(1 + d₂/(1 + …)).
  private static func continuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    // Replaces denominators near zero in the recurrences.
    let tiny = 1e-300
    var fraction = 1.0
    var numerator = 1.0
    var denominator = 0.0
    // About the root of max(a, b) terms are needed; this is enough for 10⁸ users.
    for term in 1...20_000 {
      let m = Double(term / 2)
      let coefficient =
        term.isMultiple(of: 2)
        ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      denominator = 1 + coefficient * denominator
      numerator = 1 + coefficient / numerator
      if abs(denominator) < tiny { denominator = tiny }
      if abs(numerator) < tiny { numerator = tiny }
      denominator = 1 / denominator
      let change = numerator * denominator
      fraction *= change
      if abs(change - 1) < 1e-15 { break }
    }
    return fraction
  }
}
