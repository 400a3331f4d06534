import Datasets
import Settings

/// The models by name. Adding one is a file under `Backbones` and a line here.
public enum ModelRegistry: NameRegistry {
  private static let registry = Registry<any NamedBackbone.Type>(
    "model",
    [
      VBPR.self,
      BPR.self,
      LightGCN.self,
      FREEDOM.self,
      SOIL.self,
      MGCN.self,
      MMGCN.self,
      DualGNN.self,
      GRCN.self,
    ]
  ) { $0.name }

  /// Adds models of a program's own, before anything else of this type is used.
  ///
  /// - Throws: `RegistrationError` for a name that exists or is not written in a–z, 0–9 and _, and
  ///   when the models were used before.
  package static func add(_ models: [any NamedBackbone.Type]) throws(RegistrationError) {
    try registry.add(models)
  }

  /// The models in the order in which their settings are listed.
  package static let all = registry.sealed()

  /// Names in alphabetical order.
  public static let names = all.map { $0.name }.sorted()

  /// A model's type; nil if there is none of the name.
  package static func named(_ name: String) -> (any NamedBackbone.Type)? {
    all.first { $0.name == name }
  }

  /// Whether a model reads item features.
  public static func needsFeatures(_ name: String) -> Bool { named(name)?.needsFeatures ?? false }

  /// Builds a model, with MRdIB when settings for it are given.
  ///
  /// - Parameters:
  ///   - settings: of the model; those that are missing have their defaults.
  ///   - seed: of the run.
  /// - Throws: ``ModelError`` for an unknown name, missing features, or an objective that the
  ///   model has no place for.
  public static func make(
    _ name: String, input: ModelInput, settings: SettingStore,
    objective: SettingValues<MRdIB.Settings>?, seed: UInt64
  ) throws -> TrainingModel {
    guard let type = named(name) else {
      throw ModelError(
        description: "Cannot build model '\(name)': the models are "
          + names.joined(separator: ", ") + ".")
    }
    if type.needsFeatures && input.features.isEmpty {
      throw ModelError(
        description: "Cannot build model '\(name)': it reads item features and the data set has "
          + "none. Add feature files (*_feat.npy) or choose a model without features: "
          + all.filter { !$0.needsFeatures }.map { $0.name }.sorted().joined(separator: ", ")
          + ".")
    }
    var input = input
    input.seed = seed
    input.embeddingSize = settings[CommonSettings.embeddingSize]
    let backbone = try type.make(input, settings)
    var mrdib: MRdIB?
    if let objective {
      guard type.hasContent else {
        throw ModelError(
          description: "Cannot train '\(name)' with --objective mrdib: the objective works on the "
            + "vectors of modalities and this model has none. Choose --objective plain or a "
            + "multimodal model.")
      }
      mrdib = MRdIB(
        settings: objective, modalities: input.features.map(\.name), width: input.embeddingSize)
    }
    return TrainingModel(
      backbone: backbone, objective: mrdib, userCount: input.userCount,
      itemCount: input.itemCount)
  }
}

extension NamedBackbone {
  fileprivate static func make(
    _ input: ModelInput, _ store: SettingStore
  ) throws -> any Backbone {
    try Self(input, store[Settings.self])
  }
}
