import ParameterServer
import Settings

/// All settings of a run, resolved, checked and frozen; each knows where its value came from.
///
/// Values are reached by group and setting: `configuration.training.learningRate`.
@dynamicMemberLookup
package struct RunConfiguration: Sendable {
  /// A value and where it came from.
  struct Resolved: Sendable {
    var value: any SettingValue
    var source: ConfigurationSource
  }

  /// The values of all settings that have another than their default, also those that models,
  /// estimators and optimizers declare.
  package let values: SettingStore
  private let sources: [String: ConfigurationSource]

  /// - Parameter settings: by name.
  init(_ settings: [String: Resolved]) {
    values = SettingStore(settings.mapValues(\.value))
    sources = settings.mapValues(\.source)
  }

  /// The values of a group.
  package subscript<Group: SettingGroup>(
    dynamicMember path: KeyPath<ConfigurationKeys, Group>
  ) -> SettingValues<Group> { values[Group.self] }

  /// Where the value of a key came from; `nil` if there is no such key.
  package func source(of name: String) -> ConfigurationSource? {
    ConfigurationKeys.byName[name].map { resolved($0.declaration).source }
  }

  /// Whether a setting has an effect together with the others; false if there is none of the name.
  package func isInEffect(_ setting: any SettingDeclaration) -> Bool {
    ConfigurationKeys.byName[setting.name]?.scope.includes(self) ?? false
  }

  /// The optimizer with its settings.
  package var optimizer: any RowOptimizer {
    let name = self.training.optimizer.rawValue
    guard let optimizer = OptimizerRegistry.make(name, values) else {
      preconditionFailure("'\(name)' was read as an optimizer")
    }
    return optimizer
  }

  func resolved(_ setting: any SettingDeclaration) -> Resolved {
    Resolved(value: values.value(of: setting), source: sources[setting.name] ?? .builtInDefault)
  }
}

/// Equal are configurations whose values are, wherever they came from.
extension RunConfiguration: Equatable {
  package static func == (left: Self, right: Self) -> Bool {
    ConfigurationKeys.all.allSatisfy {
      left.resolved($0.declaration).value.yaml == right.resolved($0.declaration).value.yaml
    }
  }
}
