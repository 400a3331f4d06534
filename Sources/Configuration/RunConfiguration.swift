import ParameterServer
import Settings

/// All settings of a run, resolved, checked and frozen, with the source of each value.
///
/// Values are reached by group and setting: `configuration.training.learningRate`.
@dynamicMemberLookup
package struct RunConfiguration: Sendable {
  /// A value and its source.
  struct Resolved: Sendable {
    var value: any SettingValue
    var source: ConfigurationSource
  }

  /// The values that differ from the defaults, including those of settings that models, estimators
  /// and optimizers declare.
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

  /// The source of a key's value; `nil` if there is no such key.
  package func source(of name: String) -> ConfigurationSource? {
    ConfigurationKeys.byName[name].map { resolved($0.declaration).source }
  }

  /// A key's value as YAML; `nil` if there is no such key.
  package func value(of name: String) -> String? {
    ConfigurationKeys.byName[name].map { resolved($0.declaration).value.yaml }
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

/// Configurations are equal if their values are; sources do not matter.
extension RunConfiguration: Equatable {
  package static func == (left: Self, right: Self) -> Bool {
    ConfigurationKeys.all.allSatisfy {
      left.resolved($0.declaration).value.yaml == right.resolved($0.declaration).value.yaml
    }
  }
}

/// A fingerprint of what is trained.
extension RunConfiguration {
  /// The settings that decide which model is trained: those that have an effect and influence the
  /// result, so not the number of workers. By name; values as YAML.
  package var decisiveSettings: [(name: String, value: String)] {
    ConfigurationKeys.all
      .filter { $0.declaration.influencesResult && $0.scope.includes(self) }
      .map { ($0.name, resolved($0.declaration).value.yaml, $0.anyDefault.yaml) }
      .filter { name, value, initial in
        value != initial || !ConfigurationKeys.namesOfAdded.contains(name)
      }
      .map { ($0.0, $0.1) }
      .sorted { $0.0 < $1.0 }
  }

  /// 16 hexadecimal digits that two configurations share if they train the same model, that is, if
  /// their ``decisiveSettings`` agree.
  ///
  /// - Source: FNV-1a, 64 bits (Fowler, Noll, Vo), over the lines `name=value` by name. It
  ///   distinguishes runs; it does not protect against forgery.
  package var digest: String { digest(ignoring: []) }

  /// A ``digest`` that configurations share whose seeds differ: repetitions of one experiment.
  package var digestAcrossSeeds: String {
    digest(ignoring: [ConfigurationKeys.table.training.seed.name])
  }

  private func digest(ignoring names: Set<String>) -> String {
    let lines = decisiveSettings.filter { !names.contains($0.name) }
      .map { "\($0.name)=\($0.value)\n" }
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in lines.joined().utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// The resolved configuration as a file, and as an explanation.
extension RunConfiguration {
  /// All values, each with a comment that names its source. As a `--config` file it gives the same
  /// configuration.
  package func resolvedYAML() -> String {
    var lines = [
      "# The resolved configuration of a run. Behind each value: where it came from.",
      "# Digest of what influences the result: \(digest)",
    ]
    for section in ConfigurationKeys.sections {
      lines += ["", "# \(section.title)"]
      lines += section.keys.map { key in
        let setting = resolved(key.declaration)
        return "\(key.name): \(setting.value.yaml)  # \(setting.source)"
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The values that do not come with the program, as lines of a `--config` file.
  ///
  /// - Parameter names: settings that are left out.
  package func requestedYAML(without names: Set<String> = []) -> String {
    ConfigurationKeys.all.compactMap { key in
      let setting = resolved(key.declaration)
      guard !setting.source.isBuiltIn, !names.contains(key.name) else { return nil }
      return "\(key.name): \(setting.value.yaml)\n"
    }.joined()
  }

  /// One line per key: its value, its source, what it does, and whether it has an effect.
  package func explain() -> [String] {
    ConfigurationKeys.all.map { key in
      let setting = resolved(key.declaration)
      let idle = key.scope.includes(self) ? "" : " [no effect: only with \(key.scope.description)]"
      return "\(key.name) = \(setting.value.yaml) (\(setting.source))\(idle) —"
        + " \(key.summary)"
    }
  }

  /// The user's settings that have no effect together with the others, each as a sentence for a
  /// warning.
  package var settingsWithoutEffect: [String] {
    ConfigurationKeys.all.compactMap { key in
      let source = resolved(key.declaration).source
      guard !source.isBuiltIn, !key.scope.includes(self) else { return nil }
      return "\(source): \(key.name) has no effect; it is only used with"
        + " \(key.scope.description)."
    }
  }
}
