public import Datasets

/// What a model can be built from.
public struct ModelOptions: Sendable {
  public var embeddingSize: Int
  /// λ, the `reg_weight` of the reference toolbox.
  public var regularization: Float

  public init(embeddingSize: Int, regularization: Float) {
    self.embeddingSize = embeddingSize
    self.regularization = regularization
  }
}

/// How much of a data set a model needs: enough to count parameters without the features' values.
public struct ModelInput: Sendable {
  public var userCount: Int
  public var itemCount: Int
  public var features: [FeatureMatrix]

  public init(userCount: Int, itemCount: Int, features: [FeatureMatrix]) {
    self.userCount = userCount
    self.itemCount = itemCount
    self.features = features
  }

  public init(_ dataset: Dataset) {
    self.init(
      userCount: dataset.userCount, itemCount: dataset.itemCount, features: dataset.features)
  }
}

/// A model cannot be built from this data and configuration.
public struct ModelError: Error, CustomStringConvertible {
  public let description: String
}

/// The models by name. Adding one is a file under `Backbones` and a line here.
public struct ModelRegistry {
  struct Entry {
    let name: String
    let needsFeatures: Bool
    let make: @Sendable (ModelInput, ModelOptions) -> any Backbone
  }

  static let entries: [Entry] = [
    Entry(name: "bpr", needsFeatures: false) { input, options in
      BPR(
        userCount: input.userCount, itemCount: input.itemCount,
        embeddingSize: options.embeddingSize, regularization: options.regularization)
    },
    Entry(name: "vbpr", needsFeatures: true) { input, options in
      VBPR(
        userCount: input.userCount, itemCount: input.itemCount, features: input.features,
        embeddingSize: options.embeddingSize, regularization: options.regularization)
    },
  ]

  /// Names in alphabetical order.
  public static var names: [String] { entries.map(\.name).sorted() }

  /// Whether a model reads item features.
  public static func needsFeatures(_ name: String) -> Bool {
    entries.first { $0.name == name }?.needsFeatures ?? false
  }

  /// Builds a model, with MRdIB when options for it are given.
  ///
  /// - Throws: ``ModelError`` for an unknown name, missing features, or an objective that the
  ///   model has no place for.
  public static func make(
    _ name: String, input: ModelInput, options: ModelOptions, objective: MRdIBOptions?,
    seed: UInt64
  ) throws -> TrainingModel {
    guard let entry = entries.first(where: { $0.name == name }) else {
      throw ModelError(
        description: "Cannot build model '\(name)': the models are "
          + names.joined(separator: ", ") + ".")
    }
    if entry.needsFeatures && input.features.isEmpty {
      throw ModelError(
        description: "Cannot build model '\(name)': it reads item features and the data set has "
          + "none. Add feature files (*_feat.npy) or choose a model without features, bpr.")
    }
    let backbone = entry.make(input, options)
    var mrdib: MRdIB?
    if let objective {
      guard entry.needsFeatures else {
        throw ModelError(
          description: "Cannot train '\(name)' with --objective mrdib: the objective works on the "
            + "vectors of modalities and this model has none. Choose --objective plain or a "
            + "multimodal model.")
      }
      mrdib = MRdIB(
        options: objective, modalities: input.features.map(\.name), width: options.embeddingSize,
        initialScales: objective.deviation == .relative
          ? backbone.initialContentScales(seed: seed, itemCount: input.itemCount)
          : input.features.map { _ in 1 })
    }
    return TrainingModel(
      backbone: backbone, objective: mrdib, userCount: input.userCount,
      itemCount: input.itemCount)
  }
}
