import Files
import Settings

/// Makes one configuration out of layers: built-in defaults, then the data set's, then the
/// model's, then what was asked for (`--config` files, `--set`, options), each over the one before.
package struct ConfigurationResolver: Sendable {
  private let modelNames: [String]

  /// - Parameter modelNames: the models that exist.
  package init(modelNames: [String]) { self.modelNames = modelNames }

  /// Resolves a run's configuration. The model's own layer is found by the name that the other
  /// layers end up with.
  ///
  /// - Parameters:
  ///   - dataset: layers of the data set, lowest first.
  ///   - requested: layers of the user, lowest first.
  /// - Throws: `ConfigurationError` for an unknown key, a value that its key does not allow, or
  ///   settings that contradict each other; the message says where each stands.
  package func resolve(
    dataset: [ConfigurationLayer] = [], requested: [ConfigurationLayer]
  ) throws -> RunConfiguration {
    let name = RunConfiguration(try settings(of: dataset + requested)).model.model
    let model = try ConfigurationLibrary.model(name).map { [$0] } ?? []
    return try resolve(layers: dataset + model + requested)
  }

  /// Resolves exactly these layers, lowest first, over the built-in defaults.
  ///
  /// - Throws: as ``resolve(dataset:requested:)``.
  package func resolve(layers: [ConfigurationLayer]) throws -> RunConfiguration {
    let configuration = RunConfiguration(try settings(of: layers))
    try configuration.checkContradictions()
    return configuration
  }

  private func settings(
    of layers: [ConfigurationLayer]
  ) throws -> [String: RunConfiguration.Resolved] {
    var settings: [String: RunConfiguration.Resolved] = [:]
    for layer in layers {
      for (key, entry) in try layer.keyedEntries() {
        settings[key.name] = RunConfiguration.Resolved(
          value: try value(of: key, in: entry), source: entry.valueSource)
      }
    }
    return settings
  }

  private func value(
    of key: ConfigurationKey, in entry: ConfigurationLayer.Entry
  ) throws -> any SettingValue {
    let value = try entry.value(for: key)
    if key.name == ConfigurationKeys.table.model.model.name { try checkModel(value, entry) }
    return value
  }

  private func checkModel(
    _ value: any SettingValue, _ entry: ConfigurationLayer.Entry
  ) throws {
    guard let name = value as? String, !modelNames.contains(name) else { return }
    let nearest = NearestName.find(name, among: modelNames)
    throw ConfigurationError(
      entry.valueSource,
      "there is no model '\(name.sanitized())'; expected one of \(modelNames.joined(separator: ", "))"
        + (nearest.map { " (did you mean '\($0)'?)" } ?? ""))
  }
}
