import Recommenders

/// The settings that come with the program for its models, which declare them in their own files,
/// and for well-known data sets, whose files (`Library/dataset`) are part of the binary.
package enum ConfigurationLibrary {
  private static let datasets = [
    "baby": PackageResources.baby_yaml,
    "clothing": PackageResources.clothing_yaml,
    "lfm2k": PackageResources.lfm2k_yaml,
    "sports": PackageResources.sports_yaml,
    "tiktok": PackageResources.tiktok_yaml,
  ]

  /// A model's own settings; `nil` if it has none.
  ///
  /// - Throws: `ConfigurationError` if they are malformed.
  package static func model(_ name: String) throws -> ConfigurationLayer? {
    guard let defaults = ModelRegistry.named(name)?.defaults, !defaults.isEmpty else { return nil }
    return try layer(defaults, "model/\(name).yaml")
  }

  /// A data set's own settings, by the name of its folder; `nil` if it has none.
  ///
  /// - Throws: `ConfigurationError` if the file is malformed.
  package static func dataset(_ name: String) throws -> ConfigurationLayer? {
    try datasets[name].map {
      try layer(String(decoding: $0, as: UTF8.self), "dataset/\(name).yaml")
    }
  }

  /// The names of data sets with settings in the library.
  package static var datasetNames: [String] { datasets.keys.sorted() }

  private static func layer(_ text: String, _ name: String) throws -> ConfigurationLayer {
    try ConfigurationLayer(yaml: text, label: ConfigurationSource.builtInPrefix + name)
  }
}
