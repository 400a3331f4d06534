/// The estimate of the information that modalities share.
public struct RedundancyKeys: ConfigurationSection {
  public static let title = "Redundancy between modalities"

  public let estimator = ConfigurationKey<RunConfiguration.RedundancyEstimator>(
    "mi_estimator", default: .donskerVaradhan, scope: .mrdib,
    help: "dv: lower bound by a discriminator that climbs while the encoders descend; club: upper"
      + " bound; infonce: bound of a contrast; xcorr: squared correlations, no adversary"
      + " (register A8).")
  public let pairs = ConfigurationKey<RunConfiguration.RedundancyPairs>(
    "mi_pairs", default: .positives, scope: .mrdib,
    help: "The items of a batch that it is estimated on: distinct positives, or negatives too"
      + " (register A9).")
  public let rounds = ConfigurationKey<Int>(
    "mi_rounds", default: 1, .within(1...100), unit: "updates",
    scope: .redundancy(.donskerVaradhan, .club, .infoNCE),
    help: "K_f, updates of the discriminator in a step (register A8).")
  public let learningRate = ConfigurationKey<Double>(
    "mi_learning_rate", default: 1e-3, .stepSize,
    scope: .redundancy(.donskerVaradhan, .club, .infoNCE),
    help: "Step size of the discriminator, constant (register A10).")
  public let hiddenSize = ConfigurationKey<Int>(
    "mi_hidden", default: 64, .within(1...4096),
    scope: .redundancy(.donskerVaradhan, .club),
    help: "Width of the discriminator's hidden layer (register A10).")
  public let cap = ConfigurationKey<Double>(
    "mi_cap", default: 10, .within(0.001...30),
    scope: .redundancy(.donskerVaradhan),
    help: "The discriminator's output is c·tanh(r/c): it stays within ±c (register A10). Above"
      + " 30, its exponential loses precision.")
  public let movingAverageRate = ConfigurationKey<Double>(
    "mi_ema_rate", default: 0.01, .within(1e-6...1), scope: .mrdib,
    help: "ρ of the moving average that corrects the bias of the discriminator's gradient"
      + " (register A8).")
  public let skipsNegative = ConfigurationKey<Bool>(
    "mi_skip_negative", default: true, scope: .redundancy(.donskerVaradhan),
    help: "Leave the encoders alone while the estimate is negative: the bound then says nothing"
      + ".")
  public let temperature = ConfigurationKey<Double>(
    "mi_temperature", default: 0.2, .within(1e-3...1e3), scope: .redundancy(.infoNCE),
    help: "τ of the contrast.")
}
