internal import Foundation

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
    // Keeps the recurrences away from a division by zero.
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
