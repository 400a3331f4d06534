import Settings

/// Settings that several models share. A model that has one names it among its own:
///
///     let layers = CommonSettings.layers
public enum CommonSettings {
  /// d, the width of an embedding and of a content vector; every model has it.
  public static let embeddingSize = Setting(
    "embedding_size", default: 64, .within(1...4096),
    help: "Width of an embedding and of a content vector (MMRec).")

  /// λ.
  public static let regularization = Setting(
    "reg_weight", default: 0.1, .weight,
    help: "λ, weight of the backbone's own regulariser (best of most published VBPR runs).")

  public static let layers = Setting(
    "n_layers", default: 2, .within(1...16), aliases: ["n_ui_layers"],
    help: "Propagations over the interaction graph (MMRec).")

  public static let itemNeighbours = Setting(
    "knn_k", default: 10, .within(1...1000), unit: "items",
    help: "Neighbours of an item in a modality's graph, the item itself included (MMRec).")

  /// The first modality's share of the graph of similar items.
  public static let firstModalityWeight = Setting(
    "mm_image_weight", default: 0.1, .within(0...1),
    help: "Weight of the first modality in the item graph; the others share the rest (FREEDOM,"
      + " COHESION, MENTOR, PGL).")

  /// ρ.
  public static let edgeDropout = Setting(
    "dropout", default: 0.8, .within(0..<1),
    help: "Share of the interactions that an epoch leaves out of the graph (FREEDOM, COHESION, and"
      + " PGL with a local subgraph).")

  public static let userNeighbours = Setting(
    "user_neighbours", default: 40, .within(1...200), unit: "users",
    help: "Users with most items in common that DualGNN, COHESION and VIRAL aggregate per user.")

  public static let padsNeighbours = Setting(
    "neighbour_padding", default: true,
    help: "Fill short neighbour lists with random repeats, as the code of DualGNN, COHESION and"
      + " VIRAL does.")

  public static let contrastiveWeight = Setting(
    "cl_weight", default: 0.01, .weight, aliases: ["cl_loss"],
    help: "Weight of the contrastive loss (MGCN's c, SOIL's c₁; PGL's code calls it reg_weight).")

  public static let trainsFeatures = Setting(
    "trainable_features", default: true,
    help: "Train a copy of the features, as the code of MGCN, PGL, SMORE and LATTICE does; false"
      + " leaves them fixed.")

  /// ρ of ``ViewDropout``.
  public static let viewDropout = Setting(
    "view_dropout", default: 0.1, .within(0..<1), aliases: ["dropout_rate"],
    help: "Share of the elements that a step drops from the views that PGL compares, and from"
      + " SMORE's preferences.")

  /// Whether a model that propagates over a whole graph ranks with the vectors of its last
  /// training forward.
  public static let staleRanking = Setting(
    "stale_ranking", default: StaleRanking.faithful,
    help: "Rank with the vectors of the last training forward: as the reference does for the model"
      + " (faithful), always, or never.")
}

public enum StaleRanking: String, SettingChoice {
  /// As the model's reference does.
  case faithful
  case always
  case never

  /// - Parameter reference: what the model's reference does.
  public func isStale(inReference reference: Bool) -> Bool {
    switch self {
    case .faithful: reference
    case .always: true
    case .never: false
    }
  }
}
