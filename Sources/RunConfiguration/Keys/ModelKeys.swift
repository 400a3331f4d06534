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
    "reg_weight", default: 0.1, .atLeast(0),
    help: "λ, weight of the backbone's own regulariser (best of most published VBPR runs).")
}
