import Checkpoints
import Coordination
import Dispatch
import Foundation
import Messages
import ParameterServer
import RunConfiguration
import Settings

/// The coordinator's side of checkpoints on disk: which one to go on from, and making one out of
/// what the servers wrote. Verifying and deleting wait for disks, so it has a queue of its own.
final class CheckpointKeeper: Sendable {
  enum Outcome: Sendable {
    case found(RestoredCheckpoint?, problems: [String])
    case foundNone(problems: [String])
    case searchFailed(String)
    case committed(CommittedCheckpoint)
    case commitFailed(version: UInt64, String)

    /// What it means to the coordinator.
    var event: CoordinatorEvent {
      switch self {
      case .found(let checkpoint, _): .checkpointFound(checkpoint)
      case .foundNone: .noCheckpoint
      case .searchFailed(let message): .checkpointSearchFailed(message)
      case .committed(let checkpoint): .checkpointCommitted(checkpoint)
      case .commitFailed(let version, let message):
        .checkpointCommitFailed(version: version, message: message)
      }
    }

    /// What is wrong with checkpoints that were passed over.
    var problems: [String] {
      switch self {
      case .found(_, let problems), .foundNone(let problems): problems
      case .searchFailed, .committed, .commitFailed: []
      }
    }
  }

  private let queue = DispatchQueue(label: "mrdib.coordinator.checkpoints", qos: .utility)
  private let plan: RunPlan
  private let store: CheckpointStore
  private let digests: [String: String]
  private let optimizer: OptimizerDescription
  private let keptCount: Int
  private let report: @Sendable (Outcome) -> Void

  /// - Parameter report: called on the queue after every job.
  init(setup: RunSetup, plan: RunPlan, report: @escaping @Sendable (Outcome) -> Void) {
    self.plan = plan
    store = CheckpointStore(folder: plan.checkpoints?.folder ?? "")
    digests = RunIdentity.digests(of: setup)
    optimizer = OptimizerConfiguration(setup.configuration).description
    keptCount = setup.configuration.checkpoints.keep
    self.report = report
  }

  /// Looks for the newest checkpoint of the run that is whole.
  func find() {
    queue.async { [self] in
      do {
        let latest = try store.latestUsable(runID: plan.runID)
        guard !latest.isNoneThere else { return report(.foundNone(problems: latest.problems)) }
        let restored = latest.manifest.map {
          RestoredCheckpoint(manifest: $0.name.manifest, version: $0.version)
        }
        report(.found(restored, problems: latest.problems))
      } catch {
        report(.searchFailed("\(error)"))
      }
    }
  }

  /// Makes a checkpoint of what all servers have written, and deletes old ones.
  func commit(_ commit: CheckpointCommit) {
    queue.async { [self] in
      do {
        report(.committed(try write(commit)))
      } catch {
        report(.commitFailed(version: commit.version, "\(error)"))
      }
    }
  }

  /// Deletes files of servers that no checkpoint is made of.
  func discard(_ shards: [CheckpointShard]) {
    queue.async { [self] in
      // What cannot be deleted costs space.
      try? store.discard(shards, serverCount: Int(plan.serverCount))
    }
  }

  private func write(_ commit: CheckpointCommit) throws -> CommittedCheckpoint {
    let manifest = try CheckpointManifest(
      runID: plan.runID,
      schedule: StepSchedule(
        stepsPerEpoch: Int(plan.stepsPerEpoch), roundsPerStep: Int(plan.roundsPerStep)),
      tables: plan.tables, optimizer: optimizer, shards: commit.shards,
      configuration: plan.configuration,
      configurationDigest: digests["configuration"] ?? "", dataDigest: digests["data"] ?? "",
      created: Date().ISO8601Format())
    try store.commit(manifest)
    // What cannot be deleted costs space; the checkpoint is there.
    _ = try? store.prune(keepLast: keptCount)
    return CommittedCheckpoint(
      version: commit.version, generation: commit.generation, epoch: commit.epoch,
      manifest: manifest.name.manifest, created: manifest.created)
  }
}
