import Recommenders
import Settings

/// What is trained; the settings of the models are in their own files.
package struct ModelKeys: SettingGroup {
  package let model = Setting<String>(
    "model", default: "vbpr",
    help: "The backbone; its own settings are a layer below --config.")
  package let objective = Setting<Objective>(
    "objective", default: .mrdib,
    help: "The backbone's own loss (plain), or with the information bottleneck, unique and"
      + " redundancy terms (mrdib).")
  package let embeddingSize = CommonSettings.embeddingSize

  package init() {}
}

/// The loss that is trained.
package enum Objective: String, SettingChoice { case plain, mrdib }
