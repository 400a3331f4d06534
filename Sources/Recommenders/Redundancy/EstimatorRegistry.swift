import Settings

/// The redundancy estimators by name. Adding one is a file in this folder and a line here.
public enum EstimatorRegistry: NameRegistry {
  private static let registry = Registry<any RedundancyEstimator.Type>(
    "estimator",
    [
      DonskerVaradhanEstimator.self,
      ContrastiveUpperBoundEstimator.self,
      InfoNCEEstimator.self,
      CrossCorrelationEstimator.self,
    ]
  ) { $0.name }

  /// Adds estimators of a program's own, before anything else of this type is used.
  ///
  /// - Throws: `RegistrationError` for a name that exists or is not written in a–z, 0–9 and _, and
  ///   when the estimators were used before.
  package static func add(
    _ estimators: [any RedundancyEstimator.Type]
  ) throws(RegistrationError) {
    try registry.add(estimators)
  }

  /// The first is the default.
  package static let all = registry.sealed()

  /// The names in settings.
  public static let names = all.map { $0.name }

  /// The estimator of a name.
  ///
  /// - Parameter settings: of the estimator; those that are missing have their defaults.
  static func make(
    _ name: RegisteredName<EstimatorRegistry>, _ settings: SettingStore
  ) -> any RedundancyEstimator {
    guard let type = all.first(where: { $0.name == name.rawValue }) else {
      preconditionFailure("'\(name.rawValue)' was read as an estimator")
    }
    return type.make(settings)
  }
}

extension RedundancyEstimator {
  /// The settings that the estimator reads, in the order of its declaration.
  package static var settings: [any SettingDeclaration] { Settings.declarations }

  fileprivate static func make(_ store: SettingStore) -> any RedundancyEstimator {
    Self(store[Settings.self])
  }
}

/// The settings of the redundancy between modalities that do not depend on the estimator.
public struct RedundancySettings: SettingGroup {
  public let estimator = Setting(
    "mi_estimator", default: RegisteredName<EstimatorRegistry>.standard,
    help: "dv: lower bound by a discriminator that climbs while the encoders descend; club: upper"
      + " bound; infonce: bound of a contrast; xcorr: squared correlations, no adversary"
      + " (register A8).")
  public let pairs = Setting(
    "mi_pairs", default: RedundancyPairs.positives,
    help: "The items of a batch that it is estimated on: distinct positives, or negatives too"
      + " (register A9).")
  public let averageRate = Setting(
    "mi_ema_rate", default: 0.01, .within(1e-6...1),
    help: "ρ of the moving average that corrects the bias of the discriminator's gradient"
      + " (register A8).")

  public init() {}
}

/// Which items of a batch make pairs for the redundancy (A9).
public enum RedundancyPairs: String, SettingChoice {
  /// The distinct positive items.
  case positives
  /// The distinct items, positive or negative.
  case batchItems = "batch_items"
}

/// Settings that several estimators share. An estimator that has one names it among its own.
public enum EstimatorSettings {
  /// K_f. Every estimator that trains a discriminator has it.
  public static let rounds = Setting(
    "mi_rounds", default: 1, .within(1...100), unit: "updates",
    help: "K_f, updates of the discriminator in a step (register A8).")

  /// Every estimator that trains a discriminator has it.
  public static let learningRate = Setting(
    "mi_learning_rate", default: 1e-3, .stepSize,
    help: "Step size of the discriminator, constant (register A10).")

  public static let hiddenSize = Setting(
    "mi_hidden", default: 64, .within(1...4096),
    help: "Width of the discriminator's hidden layer (register A10).")
}
