internal import Foundation
import Settings
import Tables
import Tensors

/// The InfoNCE lower bound `ln J − L`, at most ln J and stable, with a linear critic that is
/// initially the identity: similarities are cosines of `x + Δ x` and y.
///
/// - Source: van den Oord et al. 2018, arXiv:1807.03748.
public struct InfoNCEEstimator: RedundancyEstimator {
  public static let name = "infonce"

  public struct Settings: SettingGroup {
    public let rounds = EstimatorSettings.rounds
    public let learningRate = EstimatorSettings.learningRate
    public let temperature = Setting(
      "mi_temperature", default: 0.2, .within(1e-3...1e3), help: "τ of the contrast.")

    public init() {}
  }

  let temperature: Float

  public init(_ settings: SettingValues<Settings>) {
    temperature = Float(settings.temperature)
  }

  public func tables(prefix: String, width: Int) -> [TableSpec] {
    [
      TableSpec(
        name: "\(prefix).critic.delta", rows: width, width: width, initializer: .constant(0),
        rule: .optimizer(.discriminator), rowsPerBlock: width)
    ]
  }

  public func record(
    on tape: Tape, left: Variable, right: Variable, discriminator: [Variable], shift: Int,
    average: Float?
  ) -> RedundancyTerms {
    func loss(_ x: Variable, _ y: Variable, _ delta: Variable) -> Variable {
      tape.infoNCE(tape.add(x, tape.linear(x, delta)), y, temperature: temperature)
    }
    let ceiling = tape.constant(tape.filled(log(Float(left.rows))))
    let encoderLoss = loss(left, right, tape.detached(discriminator[0]))
    return RedundancyTerms(
      estimate: tape.subtract(ceiling, encoderLoss),
      discriminatorLoss: loss(tape.detached(left), tape.detached(right), discriminator[0]))
  }
}
