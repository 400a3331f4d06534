import Files
import Foundation
import Recommenders
import Settings

/// Makes one configuration out of layers: built-in defaults, then the model's, then those of the
/// form of the objective, then the user's (`--config` files, `--set`, options); later layers take
/// precedence.
package struct ConfigurationResolver: Sendable {
  private let modelNames: [String]

  /// - Parameter modelNames: the models that exist.
  package init(modelNames: [String]) { self.modelNames = modelNames }

  /// Resolves a run's configuration. The layers of the model and of the form of the objective are
  /// found by their names in the other layers.
  ///
  /// - Parameter requested: layers of the user, lowest first.
  /// - Throws: `ConfigurationError` for an unknown key, a value that its key does not allow, or
  ///   settings that contradict each other; the message names the place of each.
  package func resolve(requested: [ConfigurationLayer]) throws -> RunConfiguration {
    let name = RunConfiguration(try settings(of: requested)).model.model
    let model = try ConfigurationLibrary.model(name).map { [$0] } ?? []
    let form = RunConfiguration(try settings(of: model + requested)).mrdib.form
    let defaults = try ConfigurationLibrary.form(form).map { [$0] } ?? []
    return try resolve(layers: model + defaults + requested)
  }

  /// Resolves only these layers, lowest first, over the built-in defaults.
  ///
  /// - Throws: as ``resolve(requested:)``.
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
      "there is no model '\(name.sanitized())'; expected one of "
        + modelNames.joined(separator: ", ")
        + (nearest.map { " (did you mean '\($0)'?)" } ?? ""))
  }
}

/// Rules for more than one key: settings that contradict each other.
extension RunConfiguration {
  func checkContradictions() throws {
    let keys = ConfigurationKeys.table
    try require(
      self.selection.cutoffs.contains(self.selection.metric.cutoff), keys.selection.metric,
      "needs \(self.selection.metric.cutoff) in", keys.selection.cutoffs)
    try require(
      self.selection.metrics.contains { $0.rawValue == self.selection.metric.name },
      keys.selection.metric, "is not among", keys.selection.metrics)
    try require(
      self.training.batchSize >= self.training.shards, keys.training.batchSize, "is below",
      keys.training.shards)
    try require(
      self.mrdib.smallestLogVariance < self.mrdib.largestLogVariance,
      keys.mrdib.smallestLogVariance, "is not below", keys.mrdib.largestLogVariance)
    if self.model.objective == .mrdib && self.mrdib.codeScale == .relative {
      let reason = "is for absolute codes, not with"
      try require(self.mrdib.prior == .standard, keys.mrdib.prior, reason, keys.mrdib.codeScale)
      try require(
        self.mrdib.deviation == .unit, keys.mrdib.deviation, reason, keys.mrdib.codeScale)
    }
    let training = self.training
    try require(
      training.learningRate * pow(training.decay, 1 / training.decayPeriod)
        >= Constraint<Double>.leastStepSize, keys.training.decay,
      "leaves nothing of the learning rate after the first epoch, with", keys.training.decayPeriod)
    try require(
      self.cluster.nodeTimeout >= 2 * self.cluster.heartbeatInterval, keys.cluster.nodeTimeout,
      "is below two intervals of", keys.cluster.heartbeatInterval)
  }

  /// Throws a sentence about two keys, after the source of the one that the user set (the later
  /// one, if both were), or else that of a layer which comes with the program.
  private func require(
    _ condition: Bool, _ left: any SettingDeclaration, _ relation: String,
    _ right: any SettingDeclaration
  ) throws {
    guard !condition else { return }
    let sources = [right, left].map { resolved($0).source }
    let source = sources.first { !$0.isBuiltIn } ?? sources.first { $0 != .builtInDefault }
    func shown(_ key: any SettingDeclaration) -> String {
      "\(key.name) (\(resolved(key).value.yaml.sanitized()), from \(resolved(key).source))"
    }
    throw ConfigurationError(
      source, "\(shown(left)) \(relation) \(shown(right)); change one of them")
  }
}
