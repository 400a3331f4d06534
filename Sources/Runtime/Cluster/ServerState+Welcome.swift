import Checkpoints
import Configuration
import ParameterServer
import Protocol
import Recommenders
import Tables
import Transport

extension ServerState {
  /// The server that a welcome describes: with initial values, or with the rows of the checkpoint
  /// that the welcome names.
  ///
  /// - Throws: an error with a sentence when the welcome is invalid; `CheckpointError` when the
  ///   checkpoint cannot be read.
  init(_ welcome: Welcome, configuration: RunConfiguration) throws {
    guard let restored = welcome.restored, let plan = welcome.checkpoints else {
      try self.init(initially: welcome, configuration: configuration)
      return
    }
    try self.init(
      rank: Int(welcome.rank), serverCount: Int(welcome.serverCount), runID: welcome.runID,
      generation: welcome.generation, tables: welcome.tables.map { try TableSpec($0) },
      seed: welcome.seed, shardCount: Int(welcome.shardCount), schedule: StepSchedule(welcome),
      optimizer: OptimizerConfiguration(configuration), consistency: Consistency(configuration),
      limits: .ofTransport,
      restoring: CheckpointReader(restored, in: plan.folder, runID: welcome.runID))
  }

  private init(initially welcome: Welcome, configuration: RunConfiguration) throws {
    try self.init(
      rank: Int(welcome.rank), serverCount: Int(welcome.serverCount), runID: welcome.runID,
      generation: welcome.generation, tables: welcome.tables.map { try TableSpec($0) },
      seed: welcome.seed, shardCount: Int(welcome.shardCount),
      schedule: StepSchedule(welcome), optimizer: OptimizerConfiguration(configuration),
      consistency: Consistency(configuration), limits: .ofTransport)
  }
}

extension StepSchedule {
  init(_ welcome: Welcome) {
    self.init(
      stepsPerEpoch: Int(welcome.stepsPerEpoch), roundsPerStep: Int(welcome.roundsPerStep))
  }
}

extension ServerLimits {
  /// Bounds replies by the largest frame: a larger reply would never reach its peer.
  static var ofTransport: ServerLimits {
    ServerLimits(replyBytes: SocketOptions().maximumFrameBytes)
  }
}

extension RunConfiguration {
  /// The configuration in a coordinator's welcome.
  ///
  /// - Throws: `ConfigurationError` when this release does not know a setting.
  package init(_ welcome: Welcome) throws {
    self = try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(layers: [
      ConfigurationLayer(yaml: welcome.configuration, label: "the coordinator's configuration")
    ])
  }
}
