import Recommenders

/// The settings that come with the program for its models, which declare them in their own files.
package enum ConfigurationLibrary {
  /// A model's own settings; `nil` if it has none.
  ///
  /// - Throws: `ConfigurationError` if they are malformed.
  package static func model(_ name: String) throws -> ConfigurationLayer? {
    guard let defaults = ModelRegistry.named(name)?.defaults, !defaults.isEmpty else { return nil }
    return try ConfigurationLayer(
      yaml: defaults, label: "\(ConfigurationSource.builtInPrefix)model/\(name).yaml")
  }
}
