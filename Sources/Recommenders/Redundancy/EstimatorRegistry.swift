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
