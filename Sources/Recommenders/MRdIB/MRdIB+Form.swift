import Settings

extension MRdIB {
  /// A whole of defaults for the objective's settings: a layer above the models' own and below the
  /// user's.
  public enum Form: String, SettingChoice {
    /// The published losses, with samples in the ranking.
    case published
    /// Auxiliary terms next to the backbone's untouched loss, whose gradients a gate limits.
    case gated

    /// Flat YAML of what differs from the defaults of the settings.
    public var defaults: String {
      switch self {
      case .published: ""
      case .gated:
        """
        # The same values for every backbone and data set (docs/MRdIB.md).
        ranked: means
        code_scale: relative
        prior: standard   # of codes that are relative already
        sigma_init: unit  # likewise
        likelihood: candidates
        gate: true
        gate_limit: 1
        synergy_weight: 1
        alpha1: 0.1
        alpha2: 0
        alpha3: 0.2
        """
      }
    }
  }
}
