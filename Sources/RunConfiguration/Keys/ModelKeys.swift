internal import Models
public import Settings

/// What is trained; the settings of the models are in their own files.
public struct ModelKeys: SettingGroup {
  public let model = Setting<String>(
    "model", default: "vbpr",
    help: "The backbone; its own settings are a layer below --config.")
  public let objective = Setting<Objective>(
    "objective", default: .mrdib,
    help: "The backbone's own loss (plain), or with the information bottleneck, unique and"
      + " redundancy terms (mrdib).")
  public let embeddingSize = CommonSettings.embeddingSize

  public init() {}
}

/// The loss that is trained.
public enum Objective: String, SettingChoice { case plain, mrdib }
