/// The information bottleneck and the unique term.
public struct MRdIBKeys: ConfigurationSection {
  public static let title = "MRdIB"

  public let alpha1 = ConfigurationKey<Double>(
    "alpha1", default: 0.05, .weight, scope: .mrdib,
    help: "α₁, weight of the bottleneck's KL (docs/MRdIB.md; paper's grid 1e-4 … 5e-2)."
      + " The ablation without bottleneck is alpha1 0 with stochastic false (register A13).")
  public let alpha2 = ConfigurationKey<Double>(
    "alpha2", default: 0.05, .weight, scope: .mrdib,
    help: "α₂, weight of the redundancy between modalities (docs/MRdIB.md).")
  public let alpha3 = ConfigurationKey<Double>(
    "alpha3", default: 0.05, .weight, scope: .mrdib,
    help: "α₃, weight of the unimodal likelihoods (docs/MRdIB.md).")
  public let synergyWeight = ConfigurationKey<Double>(
    "synergy_weight", default: 0, .weight, scope: .mrdib,
    help: "Extra weight of the joint likelihood; the synergy term is that likelihood, so 0 counts"
      + " it once (register A2).")
  public let stochastic = ConfigurationKey<Bool>(
    "stochastic", default: true, scope: .mrdib,
    help: "Whether training draws z from its Gaussian; false trains with the mean.")
  public let stochasticRows = ConfigurationKey<RunConfiguration.StochasticRows>(
    "stochastic_rows", default: .items, scope: .mrdib,
    help: "Whose content vectors are Gaussian (register A4).")
  public let contentHead = ConfigurationKey<RunConfiguration.ContentHead>(
    "content_head", default: .reuse, scope: .mrdib,
    help: "The mean of z: the backbone's own content vector, or a linear map of it that starts as"
      + " the identity (register A5).")
  public let hook = ConfigurationKey<RunConfiguration.Hook>(
    "hook", default: .final, scope: .mrdib,
    help: "Where z enters the backbone: final, after which items are independent (register A6).")
  public let klReduction = ConfigurationKey<RunConfiguration.KLReduction>(
    "kl_reduction", default: .mean, scope: .mrdib,
    help: "Over an item's dimensions; sum is the strict bound and as many times stronger"
      + " (register A3).")
  public let prior = ConfigurationKey<RunConfiguration.Prior>(
    "prior", default: .standard, scope: .mrdib,
    help: "N(0, 1), or matched to the running size of the means (register A21).")
  public let initialSigma = ConfigurationKey<RunConfiguration.InitialSigma>(
    "sigma_init", default: .unit, scope: .mrdib,
    help: "σ at the start: 1, or relative, 10 % of the means' size (register A22).")
  public let smallestLogVariance = ConfigurationKey<Double>(
    "logvar_min", default: -20, .within(-80...80), scope: .mrdib,
    help: "Lower bound of ln σ².")
  public let largestLogVariance = ConfigurationKey<Double>(
    "logvar_max", default: 0, .within(-80...80), scope: .mrdib,
    help: "Upper bound of ln σ²; 0 keeps σ at most the prior's.")
  public let likelihood = ConfigurationKey<RunConfiguration.Likelihood>(
    "likelihood", default: .bpr, scope: .mrdib,
    help: "What y is: a preference between two items, or two labels (register A1).")
  public let decoder = ConfigurationKey<RunConfiguration.Decoder>(
    "decoder", default: .identity, scope: .mrdib,
    help: "The unimodal decoder D: none, or a matrix that starts as the identity (register A11).")
}
