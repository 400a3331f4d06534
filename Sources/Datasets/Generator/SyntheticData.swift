import Tensors

/// A data set with known contents: what the modalities share, what only one of them has, and what
/// only their combination determines, so that the findings of a model can be compared with the
/// truth.
///     preference of item i   q_i = concat(w_r r, w_uv u_v, w_ut u_t, w_s (s_v ⊙ s_t))
///     taste of user u        p_u ~ N(0, I)
///     interactions of u      without replacement ~ softmax over i of  sharpness · ⟨p_u, q_i⟩ / ‖w‖
///     visual features        [r, u_v, s_v] + observation noise, then noise columns
///     text features          [r, u_t, s_t] + observation noise, then noise columns
///
/// with ‖w‖² = Σ dimensions · weight², the variance of ⟨p_u, q_i⟩; in a catalogue of more than
/// ``SyntheticConfiguration/candidates`` items, i is one of those that the user is offered.
/// Everything follows from the configuration.
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
    let items = SyntheticItems(configuration, items: 0..<configuration.items)
    latents = items.latents
    itemPreferences = items.preferences
    visual = items.visual
    text = items.text
    userPreferences = SyntheticDraws(seed: configuration.seed).normal(
      .user, rows: 0..<configuration.users, columns: itemPreferences.columns)
    let choices = SyntheticChoices(configuration: configuration, items: itemPreferences)
    var chosen: [Int32] = []
    try choices.draw { _ in
    } append: {
      chosen += $0
    }
    interactions = Interactions(
      SyntheticLists(configuration, items: ReadOnlyArray(chosen), added: choices.added()),
      configuration)
  }

  /// The data set as training sees it.
  public func dataset() throws(DatasetError) -> Dataset {
    try Dataset(
      name: configuration.name, interactions: interactions,
      features: [
        FeatureMatrix(name: "visual", matrix: visual), FeatureMatrix(name: "text", matrix: text),
      ])
  }
}

extension Interactions {
  /// By user; within a user by item.
  fileprivate init(_ lists: SyntheticLists, _ configuration: SyntheticConfiguration) {
    var users: [Int32] = []
    var items: [Int32] = []
    var labels: [SplitLabel] = []
    lists.forEach { user, list in
      users += [Int32](repeating: Int32(truncatingIfNeeded: user), count: list.count)
      items += list
      labels += SplitRule.labels(count: list.count, user: user, seed: configuration.seed)
    }
    self.init(
      source: configuration.name, users: users, items: items, labels: labels, lines: nil)
  }
}
