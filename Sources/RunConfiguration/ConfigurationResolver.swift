/// Makes one configuration out of layers: built-in defaults, then the data set's, then the
/// model's, then what was asked for (`--config` files, `--set`, options), each over the one before.
public struct ConfigurationResolver: Sendable {
  private let modelNames: [String]

  /// - Parameter modelNames: the models that exist.
  public init(modelNames: [String]) { self.modelNames = modelNames }

  /// Resolves a run's configuration. The model's own layer is found by the name that the other
  /// layers end up with.
  ///
  /// - Parameters:
  ///   - dataset: layers of the data set, lowest first.
  ///   - requested: layers of the user, lowest first.
  /// - Throws: `ConfigurationError` for an unknown key, a value that its key does not allow, or
  ///   settings that contradict each other; the message says where each stands.
  public func resolve(
    dataset: [ConfigurationLayer] = [], requested: [ConfigurationLayer]
  ) throws -> RunConfiguration {
    let name = RunConfiguration(settings: try settings(of: dataset + requested)).model.model
    let model = try ConfigurationLibrary.model(name).map { [$0] } ?? []
    return try resolve(layers: dataset + model + requested)
  }

  /// Resolves exactly these layers, lowest first, over the built-in defaults.
  ///
  /// - Throws: as ``resolve(dataset:requested:)``.
  public func resolve(layers: [ConfigurationLayer]) throws -> RunConfiguration {
    let configuration = RunConfiguration(settings: try settings(of: layers))
    try configuration.checkConsistency()
    return configuration
  }

  private func settings(
    of layers: [ConfigurationLayer]
  ) throws -> [String: RunConfiguration.Setting] {
    var settings: [String: RunConfiguration.Setting] = [:]
    for layer in layers {
      var written: [String: ConfigurationLayer.Entry] = [:]
      for entry in layer.entries {
        let key = try key(of: entry)
        if let earlier = written.updateValue(entry, forKey: key.name) {
          throw ConfigurationError(
            entry.nameSource,
            "'\(entry.name)' and '\(earlier.name)' (\(earlier.nameSource)) are the same setting;"
              + " keep one")
        }
        settings[key.name] = RunConfiguration.Setting(
          value: try value(of: key, in: entry), source: entry.valueSource)
      }
    }
    return settings
  }

  private func key(
    of entry: ConfigurationLayer.Entry
  ) throws -> any ConfigurationKeyDeclaration {
    if let key = ConfigurationKeys.byName[entry.name] { return key }
    let advice =
      if let nearest = NearestName.find(entry.name, among: ConfigurationKeys.byName.keys) {
        "; did you mean '\(nearest)'?"
      } else if entry.value == .mapping {
        "; settings stand on their own, not inside of groups"
      } else {
        ""
      }
    throw ConfigurationError(entry.nameSource, "there is no setting '\(entry.name)'\(advice)")
  }

  private func value(
    of key: any ConfigurationKeyDeclaration, in entry: ConfigurationLayer.Entry
  ) throws -> any ConfigurationValue {
    guard !entry.value.isNull else {
      throw ConfigurationError(
        entry.valueSource, "\(entry.name) has no value; expected \(key.expectation)")
    }
    do {
      let value = try key.read(ConfigurationText(raw: entry.value))
      if key.name == ConfigurationKeys.table.model.model.name { try checkModel(value, entry) }
      return value
    } catch let problem as UnreadableValue {
      throw ConfigurationError(
        entry.valueSource,
        "\(entry.name) is \(entry.value.shown); expected \(key.expectation)"
          + (problem.advice.map { " (\($0))" } ?? ""))
    }
  }

  private func checkModel(
    _ value: any ConfigurationValue, _ entry: ConfigurationLayer.Entry
  ) throws {
    guard let name = value as? String, !modelNames.contains(name) else { return }
    let nearest = NearestName.find(name, among: modelNames)
    throw ConfigurationError(
      entry.valueSource,
      "there is no model '\(name)'; expected one of \(modelNames.joined(separator: ", "))"
        + (nearest.map { " (did you mean '\($0)'?)" } ?? ""))
  }
}
