import Settings

extension VIRAL {
  public struct Settings: SettingGroup {
    public let fusion = Setting(
      "fusion", default: Fusion.full,
      help:
        "What VIRAL's items are made of: text, synergy and unique vision (full); vision, synergy"
        + " and text without a redundancy (synergy); vision and text (concat); or one of them.")
    public let visual = Setting(
      "visual", default: Visual.vlm,
      help: "What VIRAL takes for vision: embeddings of descriptions that a vision-language model"
        + " wrote (vlm), or the features of the images (raw), mapped to the text's width.")
    public let visionFeature = Setting(
      "vision_feature", default: "auto",
      help: "The modality that VIRAL takes for vision; auto is 'vlm' (with visual raw: 'visual') if"
        + " the data set has it, else the first that is not the text.")
    public let textFeature = Setting(
      "text_feature", default: "auto",
      help:
        "The modality that VIRAL takes for text; auto is 'text' if the data set has it, else its"
        + " second modality.")
    public let inputWidth = Setting(
      "input_width", default: InputWidth.equal,
      help: "Where VIRAL's vision and text differ in width: refuse (equal), map vision to the"
        + " text's width by a trained layer (project), or fill up with zeros (pad).")
    /// λ_reg.
    public let regularization = CommonSettings.regularization
    /// λ.
    public let agreementWeight = Setting(
      "agreement_weight", default: 0.01, .weight, aliases: ["lambda_pid"],
      help: "Weight of the contrastive terms of VIRAL's synergy and redundancy (0.01 with fusion"
        + " full and 0.001 with synergy in its code).")
    public let scope = Setting(
      "nce_scope", default: ContrastScope.all,
      help: "Negatives of VIRAL's contrastive terms: all items, or those of the batch.")
    public let detachesRedundancy = Setting(
      "detach_redundancy", default: false,
      help: "Stop the gradient where VIRAL takes the redundant part out of vision; its code does"
        + " not.")
    public let normalizesUnique = Setting(
      "normalize_unique", default: true,
      help: "Scale VIRAL's unique vision to unit length, as its code does.")
    public let weighsConcatenation = Setting(
      "concat_weighted", default: false,
      help: "Weigh the modalities per user also with fusion concat, as VIRAL's paper says; its code"
        + " does not.")
    public let itemNeighbours = CommonSettings.itemNeighbours
    public let userNeighbours = CommonSettings.userNeighbours
    public let padsNeighbours = CommonSettings.padsNeighbours
    /// The reference ranks with the vectors of the last training forward.
    public let staleRanking = CommonSettings.staleRanking

    public init() {}
  }

  /// The vectors that an item consists of, in this order, and where they come from.
  public enum Fusion: String, SettingChoice {
    /// Text, synergy, and the part of vision that is orthogonal to the redundancy.
    case full
    /// Vision, synergy and text.
    case synergy
    /// Vision and text.
    case concat
    /// Vision, and the synergy of vision with itself.
    case visualOnly = "visual_only"
    /// Text, and the synergy of text with itself.
    case textOnly = "text_only"
  }

  /// What stands for vision.
  public enum Visual: String, SettingChoice {
    /// Embeddings of descriptions that a vision-language model wrote.
    case vlm
    /// Features of the images.
    case raw
  }

  /// What happens where vision and text have different widths.
  public enum InputWidth: String, SettingChoice {
    /// It is an error.
    case equal
    /// A trained linear layer maps vision to the width of the text.
    case project
    /// The narrower one is filled up with zeros on the right.
    case pad
  }

  /// The negatives of a contrastive term.
  public enum ContrastScope: String, SettingChoice {
    /// All items.
    case all
    /// The distinct items of a shard.
    case batch
  }
}
