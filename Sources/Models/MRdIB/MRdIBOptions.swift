/// The choices that the published description of MRdIB leaves open, with their defaults. Labels
/// such as A3 are the rows of the ambiguity register in `docs/MRdIB.md`.
public struct MRdIBOptions: Sendable, Equatable {
  /// α₁: weight of the divergence from the prior.
  public var bottleneckWeight: Float = 0.05
  /// α₂: weight of the redundancy between modalities.
  public var redundancyWeight: Float = 0.05
  /// α₃: weight of the modalities' own likelihoods.
  public var uniqueWeight: Float = 0.05
  /// Extra weight of the joint likelihood (A2). The synergy term of the paper equals the joint
  /// likelihood, which the loss has already: 0 counts it once.
  public var synergyWeight: Float = 0
  /// Whether encoders sample. Without sampling the vectors are the means ("w/o MIB", A13).
  public var isStochastic = true
  public var reduction = DivergenceReduction.mean
  public var likelihood = Likelihood.bpr
  public var head = ContentHead.reuse
  public var decoder = Decoder.identity
  public var prior = Prior.standard
  public var deviation = InitialDeviation.unit
  public var logVarianceRange: ClosedRange<Float> = -20...0
  public var estimator = RedundancyEstimatorKind.donskerVaradhan
  public var pairs = RedundancyPairs.positives
  /// Hidden units of the discriminator (A10).
  public var hiddenSize = 64
  /// c of the statistic's `c · tanh(· / c)` (A10).
  public var statisticCap: Float = 10
  /// ρ of the discriminator's running mean of e^f.
  public var averageRate: Float = 0.01
  /// Whether the encoders ignore the redundancy while its running estimate is negative, when the
  /// bound says nothing.
  public var skipsNegativeEstimates = true
  /// τ of the `infonce` estimator.
  public var temperature: Float = 0.2

  public init() {}
}

/// What a divergence is averaged over (A3).
public enum DivergenceReduction: String, Sendable, CaseIterable {
  /// Items and dimensions: nats per dimension.
  case mean
  /// Items only: nats per item, the strict bound and D times stronger.
  case sum
}

/// What becomes the mean of an encoder (A5).
public enum ContentHead: String, Sendable, CaseIterable {
  /// The backbone's own vector.
  case reuse
  /// A linear map of it that begins as the identity.
  case linear
}

/// How a user's vector meets a modality's own likelihood (A11).
public enum Decoder: String, Sendable, CaseIterable {
  case identity
  /// A linear map of the user's vector that begins as the identity.
  case linear
}

/// The prior of the encoders (A21).
public enum Prior: String, Sendable, CaseIterable {
  /// N(0, I).
  case standard
  /// N(0, s² I) with s a running root mean square of the means.
  case matched
}

/// How wide the encoders begin (A22).
public enum InitialDeviation: String, Sendable, CaseIterable {
  /// σ = 1.
  case unit
  /// σ = a tenth of the means' initial root mean square.
  case relative
}

/// Which bound of the mutual information between two modalities is minimised (A8).
public enum RedundancyEstimatorKind: String, Sendable, CaseIterable {
  case donskerVaradhan = "dv"
  case club
  case infoNCE = "infonce"
  case crossCorrelation = "xcorr"
}

/// Which items of a batch make pairs for the redundancy (A9).
public enum RedundancyPairs: String, Sendable, CaseIterable {
  /// The distinct positive items.
  case positives
  /// The distinct items, positive or negative.
  case batchItems = "batch_items"
}
