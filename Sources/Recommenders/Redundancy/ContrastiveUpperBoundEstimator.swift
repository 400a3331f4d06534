import Settings
import Tables
import Tensors

/// vCLUB: an upper bound of mutual information from a learned conditional density.
///
///     q(y | x) = N(mean(x), e^{logvar(x)})
///     estimate = mean_i [ ln q(y_i | x_i) − ln q(y_{i+shift} | x_i) ]
///
/// Both networks are W₂ relu(W₁ x + b₁) + b₂. The discriminator maximises the likelihood of the
/// true pairs; the encoders minimise the estimate.
///
/// - Source: Cheng et al. 2020, arXiv:2006.12013, eq. 13 (sampled negatives).
public struct ContrastiveUpperBoundEstimator: RedundancyEstimator {
  public static let name = "club"

  public struct Settings: SettingGroup {
    public let rounds = EstimatorSettings.rounds
    public let learningRate = EstimatorSettings.learningRate
    public let hiddenSize = EstimatorSettings.hiddenSize

    public init() {}
  }

  let hiddenSize: Int

  public init(_ settings: SettingValues<Settings>) {
    hiddenSize = settings.hiddenSize
  }

  package init(hiddenSize: Int) {
    self.hiddenSize = hiddenSize
  }

  public func tables(prefix: String, width: Int) -> [TableSpec] {
    ["mean", "logvar"].flatMap { network in
      layer("\(prefix).\(network).hidden", inputs: width, outputs: hiddenSize)
        + layer("\(prefix).\(network).output", inputs: hiddenSize, outputs: width)
    }
  }

  public func record(
    on tape: Tape, left: Variable, right: Variable, discriminator: [Variable], shift: Int,
    average: Float?
  ) -> RedundancyTerms {
    let frozen = discriminator.map { tape.detached($0) }
    let (mean, logVariance) = conditional(on: tape, left, frozen)
    let joint = tape.gaussianLogDensity(right, mean: mean, logVariance: logVariance)
    let marginal = tape.gaussianLogDensity(
      tape.shifted(right, by: shift), mean: mean, logVariance: logVariance)
    let fitted = conditional(on: tape, tape.detached(left), discriminator)
    let likelihood = tape.gaussianLogDensity(
      tape.detached(right), mean: fitted.mean, logVariance: fitted.logVariance)
    return RedundancyTerms(
      estimate: tape.subtract(joint, marginal), discriminatorLoss: tape.sum([(likelihood, -1)]))
  }

  private func conditional(
    on tape: Tape, _ x: Variable, _ parameters: [Variable]
  ) -> (mean: Variable, logVariance: Variable) {
    func network(_ first: Int) -> Variable {
      let hidden = tape.relu(tape.linear(x, parameters[first], bias: parameters[first + 1]))
      return tape.linear(hidden, parameters[first + 2], bias: parameters[first + 3])
    }
    return (network(0), network(4))
  }
}
