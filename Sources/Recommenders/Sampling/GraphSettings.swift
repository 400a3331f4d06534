import Settings

/// How a model that propagates over graphs computes a training step.
public enum GraphMode: String, SettingChoice {
  /// Over whole graphs: every step reads all rows of the tables.
  case full
  /// Over a sampled neighbourhood of the batch: a step reads only the rows of that.
  case sampled
}

extension CommonSettings {
  public static let graphMode = Setting(
    "graph_mode", default: GraphMode.full,
    help: "Whether a step propagates over the whole graph (full), or over a sampled neighbourhood"
      + " of its batch, whose size does not depend on the data (sampled).")

  /// f per layer.
  public static let fanOuts = Setting(
    "fanouts", default: [10, 10], .someWithin(1...10_000), unit: "neighbours",
    help: "Neighbours that graph_mode=sampled draws per node, layer by layer from the batch"
      + " outwards; the last number is that of all further layers.")
}

extension StaleRanking {
  /// - Throws: ``ModelError`` if a sampled model is to rank with the vectors of a training step:
  ///   there are none of all users and items.
  func checkSuitsSampledGraphs(of model: String) throws(ModelError) {
    guard self == .always else { return }
    throw ModelError(
      description: "Cannot train '\(model)' with graph_mode=sampled and stale_ranking=always: a "
        + "step over a sample has no vectors of all users and items to rank with. Leave "
        + "stale_ranking out.")
  }
}
