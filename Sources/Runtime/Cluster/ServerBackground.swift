import Checkpoints
import Configuration
import Dispatch
import ParameterServer
import Protocol

/// What a server does beside the thread that answers: making or restoring its tables and writing
/// checkpoints, either of which may take longer than a heartbeat can wait.
///
/// Two serial queues, so that a slow disk does not hold up a new generation.
final class ServerBackground<Peer: Hashable & Sendable>: Sendable {
  private let preparing = DispatchQueue(label: "mrdib.server.prepare", qos: .userInitiated)
  private let writing = DispatchQueue(label: "mrdib.server.checkpoint", qos: .utility)
  private let report: @Sendable (ServerSessionEvent<Peer>) -> Void

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

  func write(_ snapshot: ServerSnapshot, of welcome: Welcome) {
    writing.async { [report] in
      do {
        let writer = CheckpointShardWriter(
          folder: welcome.checkpoints?.folder ?? "",
          configurationDigest: try RunConfiguration(welcome).digest)
        report(.checkpointWritten(try writer.write(snapshot)))
      } catch {
        report(
          .checkpointFailed(
            generation: snapshot.generation, version: snapshot.version, "\(error)"))
      }
    }
  }
}
