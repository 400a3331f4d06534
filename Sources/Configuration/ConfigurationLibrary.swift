import Recommenders
import Settings

/// The settings that come with the program for its models and for the forms of its objective, which
/// declare them in their own files.
package enum ConfigurationLibrary {
  /// A model's own settings; `nil` if it has none.
  ///
  /// - Throws: `ConfigurationError` if they are malformed.
  package static func model(_ name: String) throws -> ConfigurationLayer? {
    guard let defaults = ModelRegistry.named(name)?.defaults, !defaults.isEmpty else { return nil }
    return try ConfigurationLayer(
      yaml: defaults, label: "\(ConfigurationSource.builtInPrefix)model/\(name).yaml")
  }

  /// The settings that a form of the objective stands for; `nil` if it is that of the keys' own
  /// defaults.
  ///
  /// - Throws: `ConfigurationError` if they are malformed.
  package static func form(_ form: MRdIB.Form) throws -> ConfigurationLayer? {
    guard !form.defaults.isEmpty else { return nil }
    return try ConfigurationLayer(
      yaml: form.defaults,
      label: "\(ConfigurationSource.builtInPrefix)mrdib_form/\(form.rawValue).yaml")
  }

  /// The values, by name, that the form of a run that names none stands for.
  fileprivate static let defaultsOfForm: [String: any SettingValue] = {
    do {
      let entries = try form(ConfigurationKeys.table.mrdib.form.defaultValue)?.keyedEntries() ?? []
      return try Dictionary(
        entries.map { ($0.key.name, try $0.entry.value(for: $0.key)) },
        uniquingKeysWith: { first, _ in first }
      )
    } catch {
      preconditionFailure("the defaults of the form: \(error)")
    }
  }()
}

extension ConfigurationKey {
  /// What a run has that sets nothing. A model may have another default.
  package var defaultOfRuns: any SettingValue {
    ConfigurationLibrary.defaultsOfForm[name] ?? anyDefault
  }
}
