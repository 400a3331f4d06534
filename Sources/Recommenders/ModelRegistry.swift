import Datasets
import Settings
import Tables

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
      BM3.self,
      COHESION.self,
      MENTOR.self,
      VIRAL.self,
      PGL.self,
      SMORE.self,
      LATTICE.self,
      Popularity.self,
      ContentKNN.self,
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

  /// The models whose score splits into parts, in alphabetical order.
  package static let namesWithScoreParts = all.filter { $0.hasScoreParts }.map { $0.name }.sorted()

  /// The models that rank items that came after training, in alphabetical order.
  package static let namesRankingNewItems = all.filter { $0.ranksNewItems }.map { $0.name }.sorted()

  /// Says that a model cannot score items without training interactions, and which models can; nil
  /// if it can.
  ///
  /// - Parameter count: of the items that are to be found.
  package static func coldItemWarning(_ name: String, count: Int) -> String? {
    guard count > 0, let model = named(name), model.coldItems != .features else { return nil }
    let items =
      count == 1
      ? "1 item of validation and test has no training interactions"
      : "\(count) items of validation and test have no training interactions"
    let what =
      model.coldItems == .last
      ? "ranks them below all others" : "leaves their vectors at their random start"
    let others = all.filter { $0.coldItems == .features }.map { $0.name }.sorted()
    return "\(items), and \(name) \(what): models that score items by their features are "
      + others.joined(separator: ", ")
  }

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
    if settings[CommonSettings.graphMode] == .sampled && !type.samplesGraphs {
      throw ModelError(
        description: "Cannot train '\(name)' with graph_mode=sampled: a step of it either "
          + "propagates over no graph, or needs the vectors of all users and items. Leave "
          + "graph_mode out, or choose a model that samples: "
          + all.filter { $0.samplesGraphs }.map { $0.name }.sorted().joined(separator: ", ")
          + ".")
    }
    var input = input
    input.seed = seed
    input.embeddingSize = settings[CommonSettings.embeddingSize]
    let backbone = try type.make(input, settings)
    var mrdib: MRdIB?
    if let objective {
      guard backbone.tables.contains(where: { $0.parameterCount > 0 }) else {
        throw ModelError(
          description: "Cannot train '\(name)' with --objective mrdib: the model has nothing to "
            + "train, its vectors follow from the data. Choose --objective plain or a multimodal "
            + "model that is trained.")
      }
      guard type.hasContent else {
        throw ModelError(
          description: "Cannot train '\(name)' with --objective mrdib: the objective works on the "
            + "vectors of modalities and this model has none. Choose --objective plain or a "
            + "multimodal model.")
      }
      let modalities = backbone.contentModalities ?? input.features.map(\.name)
      mrdib = MRdIB(
        settings: objective, modalities: modalities, width: input.embeddingSize,
        masks: modalities.map { name in
          input.features.first { $0.name == name }?.priorMask
        })
    } else if input.features.contains(where: { $0.missing == .prior }) {
      throw ModelError(
        description: "Cannot train '\(name)' with --set missing=prior and --objective plain: only"
          + " MRdIB has a prior. Choose --objective mrdib, or missing zero, mean or neighbours.")
    }
    let candidates = settings[CandidateSettings.self]
    if candidates.backboneLikelihood == .candidates, !type.hasRankingTerm {
      throw ModelError(
        description: "Cannot train '\(name)' with backbone_likelihood candidates: it replaces a "
          + "model's ranking term and this model has none. Leave the setting out.")
    }
    return TrainingModel(
      backbone: backbone, objective: mrdib,
      backboneCandidates: candidates.backboneLikelihood == .candidates
        ? CandidateRule(candidates) : nil,
      userCount: input.userCount, itemCount: input.itemCount)
  }
}

extension NamedBackbone {
  fileprivate static func make(
    _ input: ModelInput, _ store: SettingStore
  ) throws -> any Backbone {
    try Self(input, store[Settings.self])
  }
}

/// A backbone that can be asked for by name.
///
/// A type that conforms and a line in ``ModelRegistry`` make a model; a program of your own passes
/// the type to its entry point instead. The command line, `config keys`, YAML files and the record
/// of a run take everything from here.
public protocol NamedBackbone: Backbone {
  /// The name in settings, in a–z, 0–9 and _.
  static var name: String { get }
  /// The settings that the model reads, its own and those of ``CommonSettings``.
  associatedtype Settings: SettingGroup = NoSettings
  /// Flat YAML of what differs from the defaults of the settings, with the source of each value.
  static var defaults: String { get }
  /// Whether it reads item features; then it is built only with at least one modality.
  static var needsFeatures: Bool { get }
  /// Whether MRdIB has a place in it: ``Backbone/content(on:_:)`` returns vectors.
  static var hasContent: Bool { get }
  /// Whether its loss has a ranking term, which another likelihood can take the place of.
  static var hasRankingTerm: Bool { get }
  /// Whether its score splits: ``Backbone/scoreParts`` returns parts.
  static var hasScoreParts: Bool { get }
  /// Whether it ranks items that came after training: ``Backbone/newItemVectors`` is not nil.
  static var ranksNewItems: Bool { get }
  /// What ranks items of the data set that no training interaction has.
  static var coldItems: ColdItemRanking { get }
  /// Whether it has the settings ``CommonSettings/graphMode`` and ``CommonSettings/fanOuts``.
  static var samplesGraphs: Bool { get }

  /// The settings that the model needs to read these modalities and no others; most need none.
  static func settings(reading modalities: [String]) -> [(key: String, value: String)]

  /// Builds the model. It must need neither the values of features nor graphs for that: processes
  /// that do not compute build it for its list of tables.
  ///
  /// - Throws: ``ModelError`` for settings that do not go with the data.
  init(_ input: ModelInput, _ settings: SettingValues<Settings>) throws
}

extension NamedBackbone {
  public static var defaults: String { "" }
  public static var needsFeatures: Bool { false }
  public static var hasContent: Bool { false }
  public static var hasRankingTerm: Bool { true }
  public static var hasScoreParts: Bool { false }
  public static var ranksNewItems: Bool { false }
  public static var coldItems: ColdItemRanking { needsFeatures ? .features : .initialVectors }
  public static var samplesGraphs: Bool { false }
  public static func settings(reading modalities: [String]) -> [(key: String, value: String)] { [] }

  /// The settings that the model reads, in the order of its declaration.
  package static var settings: [any SettingDeclaration] { Settings.declarations }
}

/// What ranks items of the data set that no training interaction has.
public enum ColdItemRanking: Sendable {
  /// Their features, or the items that are similar by them.
  case features
  /// Vectors that nothing trains: chance.
  case initialVectors
  /// Nothing: they are below all other items.
  case last
}

/// A model cannot be built from this data and configuration.
public struct ModelError: Error, CustomStringConvertible {
  public let description: String

  public init(description: String) { self.description = description }
}
