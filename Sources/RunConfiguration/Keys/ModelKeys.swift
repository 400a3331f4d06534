/// What is trained.
public struct ModelKeys: ConfigurationSection {
  public static let title = "Model"

  public let model = ConfigurationKey<String>(
    "model", default: "vbpr",
    help: "The backbone; its own settings are a layer below --config.")
  public let objective = ConfigurationKey<RunConfiguration.Objective>(
    "objective", default: .mrdib,
    help: "The backbone's own loss (plain), or with the information bottleneck, unique and"
      + " redundancy terms (mrdib).")
  public let embeddingSize = ConfigurationKey<Int>(
    "embedding_size", default: 64, .within(1...4096),
    help: "Width of an embedding and of a content vector (MMRec).")
  public let regularizationWeight = ConfigurationKey<Double>(
    "reg_weight", default: 0.1, .weight, scope: .allModels(but: "soil"),
    help: "λ, weight of the backbone's own regulariser (best of most published VBPR runs).")
  public let layers = ConfigurationKey<Int>(
    "n_layers", default: 2, .within(1...16), scope: .models("lightgcn", "freedom", "mgcn", "soil"),
    aliases: ["n_ui_layers"], help: "Propagations over the interaction graph (MMRec).")
  public let itemNeighbours = ConfigurationKey<Int>(
    "knn_k", default: 10, .within(1...1000), unit: "items",
    scope: .models("freedom", "mgcn", "soil"),
    help: "Neighbours of an item in a modality's graph, the item itself included (MMRec).")
  public let edgeDropout = ConfigurationKey<Double>(
    "dropout", default: 0.8, .within(0..<1), scope: .models("freedom"),
    help: "Share of the interactions that an epoch leaves out of the graph (FREEDOM).")
  public let firstModalityWeight = ConfigurationKey<Double>(
    "mm_image_weight", default: 0.1, .within(0...1), scope: .models("freedom"),
    help: "Weight of the first modality in the item graph; the others share the rest (FREEDOM).")
  public let contrastiveWeight = ConfigurationKey<Double>(
    "cl_weight", default: 0.01, .weight, scope: .models("mgcn", "soil"),
    aliases: ["cl_loss"], help: "Weight of the contrastive loss (MGCN's c, SOIL's c₁).")
  public let jointContrastiveWeight = ConfigurationKey<Double>(
    "cl_weight_joint", default: 0.01, .weight, scope: .models("soil"), aliases: ["cl_loss2"],
    help: "Weight of SOIL's second contrastive loss (c₂).")
  public let interestCount = ConfigurationKey<Int>(
    "interest_k", default: 10, .within(1...1000), unit: "items", scope: .models("soil"),
    help: "Items that a user's interest adds per modality (SOIL's k_i).")
  public let secondOrderCount = ConfigurationKey<Int>(
    "second_order_k", default: 2, .within(0...1000), unit: "items", scope: .models("soil"),
    help: "Items per user that the second-order graph adds (SOIL's k_a).")
  public let secondOrderDegrees = ConfigurationKey<RunConfiguration.Faithfulness>(
    "second_order_degrees", default: .faithful, scope: .models("soil"),
    help: "Degrees that normalise the second-order user-item graph: as SOIL's code has them, or"
      + " those of its own nodes.")
  public let trainsFeatures = ConfigurationKey<Bool>(
    "trainable_features", default: true, scope: .models("mgcn"),
    help: "Train a copy of the features, as MGCN's code does; false leaves them fixed.")
  public let trainsIDs = ConfigurationKey<Bool>(
    "trainable_ids", default: false, scope: .models("mmgcn"),
    help: "Train MMGCN's id and preference vectors; its code leaves them at their random start.")
  public let hasAliasBug = ConfigurationKey<Bool>(
    "alias_bug", default: true, scope: .models("dualgnn"),
    help: "Users see the sum of modalities where DualGNN's paper means one, as its code does.")
  public let userNeighbours = ConfigurationKey<Int>(
    "user_neighbours", default: 40, .within(1...200), unit: "users", scope: .models("dualgnn"),
    help: "Users with most items in common that DualGNN aggregates per user.")
  public let padsNeighbours = ConfigurationKey<Bool>(
    "neighbour_padding", default: true, scope: .models("dualgnn"),
    help: "Fill short neighbour lists with random repeats, as DualGNN's code does.")
  public let isRouted = ConfigurationKey<Bool>(
    "routing", default: false, scope: .models("grcn"),
    help: "GRCN's routing reaches the users, as its paper has it; its code's does not.")
  public let staleRanking = ConfigurationKey<RunConfiguration.StaleRanking>(
    "stale_ranking", default: .faithful,
    scope: .models("dualgnn", "freedom", "grcn", "lightgcn", "mmgcn"),
    help: "Rank with the vectors of the last training forward: as the reference does for the model"
      + " (faithful), always, or never.")
}
