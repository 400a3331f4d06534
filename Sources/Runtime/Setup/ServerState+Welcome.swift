import Messages
import ParameterServer
import RunConfiguration
import Tables
import Transport

extension ServerState {
  /// The server that a welcome describes.
  ///
  /// - Throws: an error with a sentence when the welcome cannot be right.
  init(_ welcome: Welcome, configuration: RunConfiguration) throws {
    try self.init(
      rank: Int(welcome.rank), serverCount: Int(welcome.serverCount), runID: welcome.runID,
      generation: welcome.generation, tables: welcome.tables.map { try TableSpec($0) },
      seed: welcome.seed, shardCount: Int(welcome.shardCount),
      schedule: StepSchedule(
        stepsPerEpoch: Int(max(1, welcome.stepsPerEpoch)),
        roundsPerStep: Int(max(1, welcome.roundsPerStep))),
      optimizer: OptimizerConfiguration(configuration),
      limits: ServerLimits(replyBytes: SocketOptions().maximumFrameBytes))
  }
}
