import CKernels
import Foundation

/// The closed form of Adam's steps with a zero gradient.
///
/// After step t, the j-th of k such steps takes m to β₁ʲm and v to β₂ʲv, so with the bias
/// corrections of step t + j
///
///     Σ_j s β₁ʲ m / (√(β₂ʲ v) h + ε) = m Σ_j a_j / (√v + ε c_j)
///     a_j = s β₁ʲ / (√β₂ʲ h),  c_j = 1 / (√β₂ʲ h),  s = lr / (1 − β₁ᵗ⁺ʲ),  h = 1 / √(1 − β₂ᵗ⁺ʲ)
///
/// a_j decays with r = β₁/√β₂, within about two hundred steps to nothing, while c_j hardly changes:
/// the sum is m A / d · (1 + ε² var(c) / d²), d = √v + ε mean(c), but for terms of third order. A
/// and the moments of c with weights a_j depend on t and k only, and not on k beyond the horizon,
/// where a_j is below 10⁻¹⁰ of a₀. They are sums of doubles in the order of the steps, so that the
/// result is a function of the steps of the row's updates, whenever it is read.
///
/// Deviation from ``Adam/Mode/dense``: rounding (dense rounds at every step), and moves whose √v is
/// near ε in the first steps of a run: with the usual constants below 10⁻⁸ of the larger of |w| and
/// lr for gradients above 10⁻⁵, and up to 3 · 10⁻⁶ for gradients of 10⁻⁷ in the first step.
struct ClosedAdam {
  /// Terms that are not left out.
  private static let smallestTerm = 1e-10
  private static let longestHorizon = 4096

  private let beta1: Double
  private let beta2: Double
  /// β₁/√β₂.
  private let ratio: Double
  /// Steps after which terms are left out; beyond the longest if terms do not decay.
  private let horizon: Int
  /// β₁ʲ and 1/√β₂ʲ of every j up to the horizon: each row that is read needs a pair.
  private let powers: [(beta1: Double, growth: Double)]

  init(beta1: Double, beta2: Double) {
    self.beta1 = beta1
    self.beta2 = beta2
    ratio = beta2 > 0 ? beta1 / beta2.squareRoot() : .infinity
    if beta1 == 0 {
      horizon = 1
    } else if ratio > 0 && ratio < 1 {
      let steps = log(Self.smallestTerm) / log(ratio)
      horizon = Int(min(steps.rounded(.up), Double(Self.longestHorizon + 1)))
    } else {
      horizon = Self.longestHorizon + 1
    }
    powers = (0...min(horizon, Self.longestHorizon)).map {
      (pow(beta1, Double($0)), 1 / pow(beta2, Double($0) / 2))
    }
  }

  /// - Throws: ``ParameterServerError`` with code `configuration` if terms do not decay.
  func validate() throws(ParameterServerError) {
    guard horizon <= Self.longestHorizon else {
      throw ParameterServerError(
        .configuration,
        """
        adam_mode closed needs an adam_beta1 well below the root of adam_beta2, but they are \
        \(beta1) and \(beta2): choose others, or adam_mode lazy_exact.
        """)
    }
  }

  /// Adds the last step to the sums of the steps before it. Called before another is appended: the
  /// sums of a step have all later ones but the last.
  func addLast(of steps: inout [mrdib_adam_step]) {
    guard let last = steps.last else { return }
    let number = steps.count
    let growth = 1 / beta2.squareRoot()
    var power = 1.0
    var scale = 1.0
    let correction = 1 / Double(last.inverse_root)
    for gap in stride(from: 1, to: min(number, horizon + 1), by: 1) {
      power *= ratio
      scale *= growth
      let a = Double(last.step_size) * power * correction
      let c = scale * correction
      let index = number - gap - 1
      steps[index].sums.0 += a
      steps[index].sums.1 += a * c
      steps[index].sums.2 += a * c * c
    }
  }

  /// The gap of a row that has had the steps before `missed`.
  ///
  /// - Precondition: `missed` is not empty, begins above 0 and ends with the last or last but one
  ///   of all steps.
  func gap(
    _ steps: UnsafeBufferPointer<mrdib_adam_step>, _ missed: Range<Int>
  ) -> mrdib_adam_gap {
    let length = missed.count
    var sums = steps[missed.lowerBound - 1].sums
    if missed.upperBound == steps.count && length <= horizon {
      // β₁ᵏ and β₂ᵏ are those of step k.
      let last = steps[steps.count - 1]
      let (power, growth) = powers[length]
      let correction = 1 / Double(last.inverse_root)
      let a = Double(last.step_size) * power * growth * correction
      let c = growth * correction
      sums.0 += a
      sums.1 += a * c
      sums.2 += a * c * c
    }
    let mean = sums.0 > 0 ? sums.1 / sums.0 : 0
    let variance = sums.0 > 0 ? max(0, sums.2 / sums.0 - mean * mean) : 0
    return mrdib_adam_gap(
      sum: Float(sums.0), mean: Float(mean), variance: Float(variance),
      decay1: steps[length - 1].decay1, decay2: steps[length - 1].decay2)
  }
}
