import Recommenders

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
}
