/// All settings of a run, resolved, checked and frozen; each knows where its value came from.
///
/// Values are reached by section and key: `configuration.training.learningRate`.
@dynamicMemberLookup
public struct RunConfiguration: Sendable {
  /// A value and where it came from.
  struct Setting: Sendable {
    var value: any ConfigurationValue
    var source: ConfigurationSource
  }

  let settings: [String: Setting]

  /// The values of a section.
  public subscript<Section: ConfigurationSection>(
    dynamicMember path: KeyPath<ConfigurationKeys, Section>
  ) -> SectionValues<Section> {
    SectionValues(section: ConfigurationKeys.table[keyPath: path], configuration: self)
  }

  /// The value of a key.
  public subscript<Value>(key: ConfigurationKey<Value>) -> Value {
    guard let value = setting(key).value as? Value else {
      preconditionFailure("\(key.name) is declared twice with different types")
    }
    return value
  }

  /// Where the value of a key came from; `nil` if there is no such key.
  public func source(of name: String) -> ConfigurationSource? {
    ConfigurationKeys.byName[name].map { setting($0).source }
  }

  func setting(_ key: any ConfigurationKeyDeclaration) -> Setting {
    settings[key.name] ?? Setting(value: key.anyDefault, source: .builtInDefault)
  }
}

/// The values of one section, by the names of its keys.
@dynamicMemberLookup
public struct SectionValues<Section: ConfigurationSection> {
  let section: Section
  let configuration: RunConfiguration

  public subscript<Value>(dynamicMember path: KeyPath<Section, ConfigurationKey<Value>>) -> Value {
    configuration[section[keyPath: path]]
  }
}

/// Equal are configurations whose values are, wherever they came from.
extension RunConfiguration: Equatable {
  public static func == (left: Self, right: Self) -> Bool {
    ConfigurationKeys.all.allSatisfy {
      left.setting($0).value.yaml == right.setting($0).value.yaml
    }
  }
}
