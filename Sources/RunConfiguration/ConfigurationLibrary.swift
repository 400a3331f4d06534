/// The settings that come with the program for its models and for well-known data sets. Their
/// files (`Library/model`, `Library/dataset`) are part of the binary.
public enum ConfigurationLibrary {
  private static let models = [
    "bpr": PackageResources.bpr_yaml,
    "dualgnn": PackageResources.dualgnn_yaml,
    "freedom": PackageResources.freedom_yaml,
    "grcn": PackageResources.grcn_yaml,
    "lightgcn": PackageResources.lightgcn_yaml,
    "mgcn": PackageResources.mgcn_yaml,
    "mmgcn": PackageResources.mmgcn_yaml,
    "soil": PackageResources.soil_yaml,
    "vbpr": PackageResources.vbpr_yaml,
  ]

  private static let datasets = [
    "baby": PackageResources.baby_yaml,
    "clothing": PackageResources.clothing_yaml,
    "lfm2k": PackageResources.lfm2k_yaml,
    "sports": PackageResources.sports_yaml,
    "tiktok": PackageResources.tiktok_yaml,
  ]

  /// A model's own settings; `nil` if it has none.
  ///
  /// - Throws: `ConfigurationError` if the file is malformed.
  public static func model(_ name: String) throws -> ConfigurationLayer? {
    try models[name].map { try layer($0, "model/\(name).yaml") }
  }

  /// A data set's own settings, by the name of its folder; `nil` if it has none.
  ///
  /// - Throws: `ConfigurationError` if the file is malformed.
  public static func dataset(_ name: String) throws -> ConfigurationLayer? {
    try datasets[name].map { try layer($0, "dataset/\(name).yaml") }
  }

  /// The data sets that have settings here.
  public static var datasetNames: [String] { datasets.keys.sorted() }

  private static func layer(_ text: [UInt8], _ name: String) throws -> ConfigurationLayer {
    try ConfigurationLayer(
      yaml: String(decoding: text, as: UTF8.self), label: ConfigurationSource.builtInPrefix + name)
  }
}
