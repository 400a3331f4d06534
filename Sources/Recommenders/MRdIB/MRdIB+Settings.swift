import Settings

extension MRdIB {
  /// The choices that the published description of MRdIB leaves open, with the defaults of the
  /// published form; those of the gated one are in ``MRdIB/Form``. Labels such as A3 are the rows
  /// of the ambiguity register in `docs/MRdIB.md`.
  public struct Settings: SettingGroup {
    public let form = Setting(
      "mrdib_form", default: Form.gated, influencesResult: false,
      help: "The objective's other defaults as a whole: published, as the paper has it, or gated,"
        + " in which noise and auxiliary gradients stay out of the ranking (docs/MRdIB.md). Only"
        + " the settings that it stands for influence the result.")
    public let ranked = Setting(
      "ranked", default: RankedVectors.samples,
      help: "What the backbone's own loss sees: samples z of the content vectors, or their means.")
    public let codeScale = Setting(
      "code_scale", default: CodeScale.absolute,
      help: "What σ and the prior are measured in: 1, or relative to the root mean square of the"
        + " means in the batch.")
    public let isGated = Setting(
      "gate", default: false,
      help: "Keep the gradients of auxiliary terms from opposing or outweighing those of the"
        + " backbone's own loss, tensor by tensor.")
    public let gateLimit = Setting(
      "gate_limit", default: 1.0, .within(0...1e6),
      help: "ρ, the most that auxiliary gradients may be of the backbone's own, by norm; 0 trains"
        + " without them, and a large one only removes what opposes.")
    public let bottleneckWeight = Setting(
      "alpha1", default: 0.05, .weight,
      help: "α₁, weight of the bottleneck's KL (docs/MRdIB.md; the paper's grid, for the published"
        + " form: 1e-4 … 5e-2)."
        + " The ablation without bottleneck is alpha1 0 with stochastic false (register A13).")
    public let redundancyWeight = Setting(
      "alpha2", default: 0.05, .weight,
      help: "α₂, weight of the redundancy between modalities (docs/MRdIB.md).")
    public let uniqueWeight = Setting(
      "alpha3", default: 0.05, .weight,
      help: "α₃, weight of the unimodal likelihoods (docs/MRdIB.md).")
    public let synergyWeight = Setting(
      "synergy_weight", default: 0.0, .weight,
      help: "With ranked samples, extra weight of the joint likelihood; the synergy term is that"
        + " likelihood, so 0 counts it once (register A2). With ranked means, w_S, its weight.")
    public let isStochastic = Setting(
      "stochastic", default: true,
      help: "Whether training draws z from its Gaussian; false trains with the mean.")
    public let stochasticRows = Setting(
      "stochastic_rows", default: StochasticRows.items,
      help: "Whose content vectors are Gaussian (register A4).")
    public let head = Setting(
      "content_head", default: ContentHead.reuse,
      help: "The mean of z: the backbone's own content vector, or a linear map of it that starts as"
        + " the identity (register A5).")
    public let hook = Setting(
      "hook", default: Hook.final,
      help: "Where z enters the backbone: final, after which items are independent (register A6).")
    public let reduction = Setting(
      "kl_reduction", default: DivergenceReduction.mean,
      help: "Over an item's dimensions; sum is the strict bound and as many times stronger"
        + " (register A3).")
    public let prior = Setting(
      "prior", default: Prior.standard,
      help: "N(0, 1), or matched to the running size of the means (register A21).")
    public let deviation = Setting(
      "sigma_init", default: InitialDeviation.unit,
      help: "σ at the start: 1, or relative, 10 % of the means' size (register A22).")
    public let smallestLogVariance = Setting(
      "logvar_min", default: -20.0, .within(-80...80), help: "Lower bound of ln σ².")
    public let largestLogVariance = Setting(
      "logvar_max", default: 0.0, .within(-80...80),
      help: "Upper bound of ln σ²; 0 keeps σ at most the prior's.")
    public let likelihood = Setting(
      "likelihood", default: LikelihoodChoice.bpr,
      help: "What y is: a preference between two items, two labels, or a choice among candidates"
        + " (register A1).")
    public let decoder = Setting(
      "decoder", default: Decoder.identity,
      help: "The unimodal decoder D: none, or a matrix that starts as the identity (register A11).")

    public init() {}
  }
}

/// What the backbone's own loss sees.
public enum RankedVectors: String, SettingChoice {
  /// z, so that its ranking term is the joint likelihood.
  case samples
  /// μ: the backbone as it is, and the joint likelihood a term of its own.
  case means
}

/// What σ and the prior are measured in.
public enum CodeScale: String, SettingChoice {
  /// 1, whatever the size of the means is.
  case absolute
  /// The root mean square of the means of a shard's distinct items, as a constant.
  case relative
}

/// What y is (A1).
public enum LikelihoodChoice: String, SettingChoice {
  /// A ranked pair.
  case bpr
  /// Two labels.
  case bce
  /// A choice among candidates.
  case candidates
}

/// Which vectors are drawn from a Gaussian (A4).
public enum StochasticRows: String, SettingChoice {
  /// Those of items.
  case items
}

/// Where z enters the backbone (A6).
public enum Hook: String, SettingChoice {
  /// After everything that lets items depend on one another.
  case final
}

/// What a divergence is averaged over (A3).
public enum DivergenceReduction: String, SettingChoice {
  /// Items and dimensions: nats per dimension.
  case mean
  /// Items only: nats per item, the strict bound and D times stronger.
  case sum
}

/// What becomes the mean of an encoder (A5).
public enum ContentHead: String, SettingChoice {
  /// The backbone's own vector.
  case reuse
  /// A linear map of it that begins as the identity.
  case linear
}

/// How a user's vector meets a modality's own likelihood (A11).
public enum Decoder: String, SettingChoice {
  case identity
  /// A linear map of the user's vector that begins as the identity.
  case linear
}

/// The prior of the encoders (A21).
public enum Prior: String, SettingChoice {
  /// N(0, I).
  case standard
  /// N(0, s² I) with s a running root mean square of the means.
  case matched
}

/// How wide the encoders begin (A22).
public enum InitialDeviation: String, SettingChoice {
  /// σ = 1.
  case unit
  /// σ = a tenth of the means' initial root mean square.
  case relative
}
