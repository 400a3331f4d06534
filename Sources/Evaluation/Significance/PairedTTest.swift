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
    pValue = t.magnitude < 1e150
      ? RegularizedBeta.value(freedom / (freedom + t * t), freedom / 2, 0.5) : 0
  }
}
