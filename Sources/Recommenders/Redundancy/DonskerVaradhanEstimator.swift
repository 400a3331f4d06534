internal import Foundation
import Settings
import Tables
import Tensors

/// MINE: the Donsker–Varadhan bound with a two-layer statistic.
///
///     f(x, y) = c · tanh( (w₂ᵀ relu(W₁ [x; y] + b₁) + b₂) / c )
///
/// The discriminator maximises the bound, with the moving-average correction of its gradient; the
/// encoders minimise its plain value. Minimising over both at once would drive f to −c instead of
/// estimating anything.
///
/// - Source: Belghazi et al. 2018, arXiv:1801.04062. The cap c is ours: it bounds e^f.
public struct DonskerVaradhanEstimator: RedundancyEstimator {
  public static let name = "dv"

  public struct Settings: SettingGroup {
    public let rounds = EstimatorSettings.rounds
    public let learningRate = EstimatorSettings.learningRate
    public let hiddenSize = EstimatorSettings.hiddenSize
    public let cap = Setting(
      "mi_cap", default: 10.0, .within(0.001...30),
      help: "The discriminator's output is c·tanh(r/c): it stays within ±c (register A10). Above"
        + " 30, its exponential loses precision.")
    public let skipsNegative = Setting(
      "mi_skip_negative", default: true,
      help: "Leave the encoders alone while the estimate is negative: the bound then says nothing.")

    public init() {}
  }

  let hiddenSize: Int
  let cap: Float
  private let skipsNegative: Bool

  public init(_ settings: SettingValues<Settings>) {
    self.init(
      hiddenSize: settings.hiddenSize, cap: Float(settings.cap),
      skipsNegative: settings.skipsNegative)
  }

  package init(hiddenSize: Int, cap: Float, skipsNegative: Bool = true) {
    self.hiddenSize = hiddenSize
    self.cap = cap
    self.skipsNegative = skipsNegative
  }

  public func isVacuous(_ estimate: Float) -> Bool { skipsNegative && estimate < 0 }

  public func tables(prefix: String, width: Int) -> [TableSpec] {
    layer("\(prefix).hidden", inputs: 2 * width, outputs: hiddenSize)
      + layer("\(prefix).output", inputs: hiddenSize, outputs: 1)
  }

  public func record(
    on tape: Tape, left: Variable, right: Variable, discriminator: [Variable], shift: Int,
    average: Float?
  ) -> RedundancyTerms {
    let frozen = discriminator.map { tape.detached($0) }
    let forEncoders = statistics(on: tape, left, right, frozen, shift: shift)
    let estimate = tape.donskerVaradhan(
      joint: forEncoders.joint, marginal: forEncoders.marginal)
    let forDiscriminator = statistics(
      on: tape, tape.detached(left), tape.detached(right), discriminator, shift: shift)
    let bound = tape.donskerVaradhan(
      joint: forDiscriminator.joint, marginal: forDiscriminator.marginal, movingAverage: average)
    var exponentials = 0.0
    for f in forEncoders.marginal.value.elements { exponentials += exp(Double(f)) }
    return RedundancyTerms(
      estimate: estimate, discriminatorLoss: tape.sum([(bound, -1)]),
      meanExponential: Float(exponentials / Double(left.rows)))
  }

  /// f of the true pairs and of the shifted pairs, `[J, 1]` each. The first layer is linear in the
  /// pair, so each half of its product is computed once and the right half is shifted.
  private func statistics(
    on tape: Tape, _ left: Variable, _ right: Variable, _ parameters: [Variable], shift: Int
  ) -> (joint: Variable, marginal: Variable) {
    let width = left.columns
    let ofLeft = tape.linear(left, parameters[0], columns: 0..<width, bias: parameters[1])
    let ofRight = tape.linear(right, parameters[0], columns: width..<2 * width)
    func statistic(_ hidden: Variable) -> Variable {
      tape.tanhCap(
        tape.linear(tape.relu(hidden), parameters[2], bias: parameters[3]), cap)
    }
    return (
      statistic(tape.add(ofLeft, ofRight)),
      statistic(tape.add(ofLeft, tape.shifted(ofRight, by: shift)))
    )
  }
}
