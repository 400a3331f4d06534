import RunConfiguration
import Settings

/// Names for configurations that are listed side by side.
enum ConfigurationLabels {
  /// Settings in which runs may differ without being different experiments.
  private static let ignored: Set<String> = ["seed", "data_digest", "model"]

  /// The model of each configuration, then those decisive settings that do not have the same value
  /// in all configurations in which they have an effect.
  static func make(_ configurations: [RunConfiguration]) -> [String] {
    let settings = configurations.map { configuration in
      configuration.decisiveSettings.filter { !ignored.contains($0.name) }
    }
    var values: [String: Set<String>] = [:]
    for (name, value) in settings.joined() { values[name, default: []].insert(value) }
    return zip(configurations, settings).map { configuration, settings in
      ([configuration.model.model]
        + settings.filter { values[$0.name]?.count ?? 0 > 1 }.map { "\($0.name)=\($0.value)" })
        .joined(separator: " ")
    }
  }
}
