package import Autodiff
internal import Foundation
package import Tables

/// The InfoNCE lower bound `ln J − L`, at most ln J and stable, with a linear critic that is
/// initially the identity: similarities are cosines of `x + Δ x` and y.
///
/// - Source: van den Oord et al. 2018, arXiv:1807.03748.
package struct InfoNCEEstimator: RedundancyEstimator {
  let temperature: Float

  package func tables(prefix: String, width: Int) -> [TableSpec] {
    [
      TableSpec(
        name: "\(prefix).critic.delta", rows: width, width: width, initializer: .constant(0),
        rule: .optimizer(.discriminator), rowsPerBlock: width)
    ]
  }

  package func record(
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
