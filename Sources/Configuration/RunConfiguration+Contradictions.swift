import Files
import Foundation
import Recommenders
import Settings

/// What single keys cannot say: settings that contradict each other.
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
    let training = self.training
    try require(
      training.learningRate * pow(training.decay, 1 / training.decayPeriod)
        >= Constraint<Double>.leastStepSize, keys.training.decay,
      "leaves nothing of the learning rate after the first epoch, with", keys.training.decayPeriod)
    try require(
      self.cluster.nodeTimeout >= 2 * self.cluster.heartbeatInterval, keys.cluster.nodeTimeout,
      "is below two intervals of", keys.cluster.heartbeatInterval)
  }

  /// Throws a sentence about two keys, led by the source of the one that was set (the later one,
  /// if both were).
  private func require(
    _ condition: Bool, _ left: any SettingDeclaration, _ relation: String,
    _ right: any SettingDeclaration
  ) throws {
    guard !condition else { return }
    let source = [right, left].map { resolved($0).source }.first { $0 != .builtInDefault }
    func shown(_ key: any SettingDeclaration) -> String {
      "\(key.name) (\(resolved(key).value.yaml.sanitized()), from \(resolved(key).source))"
    }
    throw ConfigurationError(
      source, "\(shown(left)) \(relation) \(shown(right)); change one of them")
  }
}
