import Checkpoints
import Configuration
import Dispatch
import ParameterServer
import Protocol
import Recommenders
import Synchronization
import Tables
import Telemetry
import Transport

/// The jobs of a server that run off the network thread, because they may take longer than a
/// heartbeat can wait: making or restoring its tables, and writing checkpoints.
///
/// Two serial queues, so that a slow disk does not delay a new generation.
final class ServerBackground<Peer: Hashable & Sendable>: Sendable {
  private let preparing = DispatchQueue(label: "mrdib.server.prepare", qos: .userInitiated)
  private let writing = DispatchQueue(label: "mrdib.server.checkpoint", qos: .utility)
  private let report: @Sendable (ServerSessionEvent<Peer>) -> Void
  private let counts = Mutex(CheckpointWritingStatistics())

  /// - Parameter report: called on one of the queues with the result of every job.
  init(report: @escaping @Sendable (ServerSessionEvent<Peer>) -> Void) {
    self.report = report
  }

  func prepare(_ welcome: Welcome) {
    preparing.async { [report] in
      do {
        report(
          .prepared(
            try ServerState(welcome, configuration: RunConfiguration(welcome))))
      } catch {
        report(
          .preparationFailed(
            generation: welcome.generation, "server \(welcome.rank) cannot take part: \(error)",
            isTransient: error is CheckpointError))
      }
    }
  }

  /// Counts of the checkpoints written so far; may be read on any thread.
  var statistics: CheckpointWritingStatistics { counts.withLock { $0 } }

  func write(_ snapshot: ServerSnapshot, of welcome: Welcome) {
    writing.async { [self] in
      let start = MonotonicClock.seconds
      do {
        let writer = CheckpointShardWriter(
          CheckpointStore(folder: welcome.checkpoints?.folder ?? ""),
          configurationDigest: try RunConfiguration(welcome).digest)
        let shard = try writer.write(snapshot)
        counts.withLock {
          $0.seconds.observe(MonotonicClock.seconds - start)
          $0.bytes += shard.byteCount
        }
        report(.checkpointWritten(shard))
      } catch {
        counts.withLock { $0.failures += 1 }
        report(
          .checkpointFailed(
            generation: snapshot.generation, version: snapshot.version, "\(error)"))
      }
    }
  }
}

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
      restoring: CheckpointReader(
        restored, in: CheckpointStore(folder: plan.folder), runID: welcome.runID))
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
  /// Bounds replies by the largest frame: a larger reply could not be sent.
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
