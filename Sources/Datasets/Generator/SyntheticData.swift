import Tensors

/// A data set with known contents: what the modalities share, what each has alone, and what only
/// their combination tells, so that what a model finds can be held against the truth.
///
///     preference of item i   q_i = concat(w_r r, w_uv u_v, w_ut u_t, w_s (s_v ⊙ s_t))
///     taste of user u        p_u ~ N(0, I)
///     interactions of u      without replacement ~ softmax over i of  sharpness · ⟨p_u, q_i⟩ / ‖w‖
///     visual features        [r, u_v, s_v] + observation noise, then noise columns
///     text features          [r, u_t, s_t] + observation noise, then noise columns
///
/// with ‖w‖² = Σ dimensions · weight², the variance of ⟨p_u, q_i⟩. Everything follows from the
/// configuration.
public struct SyntheticData: Sendable {
  public let configuration: SyntheticConfiguration
  public let latents: SyntheticLatents
  /// q, `[I, Q]`, Q = all latent dimensions, synergy counted once.
  public let itemPreferences: Matrix
  /// p, `[U, Q]`.
  public let userPreferences: Matrix
  /// `[I, visualColumns]`.
  public let visual: Matrix
  /// `[I, textColumns]`.
  public let text: Matrix
  /// By user; within a user by item.
  public let interactions: Interactions

  /// Generates a data set in memory.
  ///
  /// - Throws: ``DatasetError`` if the configuration is out of range.
  public init(_ configuration: SyntheticConfiguration) throws(DatasetError) {
    try configuration.validate()
    self.configuration = configuration
    let draws = SyntheticDraws(seed: configuration.seed)
    latents = SyntheticLatents(configuration)
    itemPreferences = latents.preferences(configuration)
    userPreferences = draws.normal(
      .user, rows: configuration.users, columns: itemPreferences.columns)
    visual = Self.observe(
      SyntheticLatents.concatenate(
        [latents.shared, latents.uniqueVisual, latents.synergyVisual].map { ($0, 1) }),
      noise: .visualObservation, columns: .visualNoise, configuration.visualNoiseDimensions,
      configuration)
    text = Self.observe(
      SyntheticLatents.concatenate(
        [latents.shared, latents.uniqueText, latents.synergyText].map { ($0, 1) }),
      noise: .textObservation, columns: .textNoise, configuration.textNoiseDimensions,
      configuration)
    interactions = SyntheticChoices(
      configuration, users: userPreferences, items: itemPreferences
    ).interactions()
  }

  /// The data set as training sees it.
  public func dataset() throws(DatasetError) -> Dataset {
    try Dataset(
      name: configuration.name, interactions: interactions,
      features: [
        FeatureMatrix(name: "visual", matrix: visual), FeatureMatrix(name: "text", matrix: text),
      ])
  }

  /// Informative columns with observation noise, followed by columns of noise alone.
  private static func observe(
    _ signal: Matrix, noise: SyntheticDraws.Purpose, columns: SyntheticDraws.Purpose,
    _ noiseColumns: Int, _ configuration: SyntheticConfiguration
  ) -> Matrix {
    let draws = SyntheticDraws(seed: configuration.seed)
    let error = draws.normal(noise, rows: signal.rows, columns: signal.columns)
    for index in 0..<signal.count {
      signal.pointer[index] += configuration.observationNoise * error.pointer[index]
    }
    return SyntheticLatents.concatenate([
      (signal, 1),
      (
        draws.normal(columns, rows: signal.rows, columns: noiseColumns), configuration.noiseScale
      ),
    ])
  }
}
