import Coordination
import Datasets
import Models
import RunConfiguration
import Settings
import Tables

extension RunSetup {
  /// What a dry run prints: the plan in numbers.
  public var summaryLines: [String] {
    let plan = plan(runID: "dry-run")
    let bytes = model.tables.reduce(0) { $0 + $1.rows * $1.width * MemoryLayout<Float>.stride }
    return [
      "model\t\(configuration.model.model)",
      "data\t\(dataset.name)",
      "users\t\(dataset.userCount)",
      "items\t\(dataset.itemCount)",
      "training interactions\t\(dataset.trainUsers.count)",
      "steps per epoch\t\(plan.stepsPerEpoch)",
      "shards per step\t\(plan.shardCount)",
      "trainable parameters\t\(model.parameterCount)",
      "tables\t\(model.tables.count)",
      "bytes of all tables, without optimizer state\t\(bytes)",
    ]
  }

  /// Settings that have no effect on this run, as sentences.
  public var warnings: [String] { configuration.settingsWithoutEffect }
}
