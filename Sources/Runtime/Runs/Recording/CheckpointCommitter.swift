import Checkpoints
import Configuration
import Coordinator
import Dispatch
import Foundation
import ParameterServer
import Protocol
import Settings

/// The coordinator's side of checkpoints on disk: finds the one to resume from, and commits what
/// the servers wrote. Verifying and deleting wait for disks, so this class has a queue of its own.
final class CheckpointCommitter: Sendable {
  private let queue = DispatchQueue(label: "mrdib.coordinator.checkpoints", qos: .utility)
  private let plan: RunPlan
  private let store: CheckpointStore
  private let digests: [String: String]
  private let optimizer: OptimizerDescription
  private let keptCount: Int
  private let report: @Sendable (CoordinatorEvent, _ problems: [String]) -> Void

  /// - Parameter report: called on the queue with the result of a job, and the problems of
  ///   checkpoints that were skipped.
  init(
    setup: RunSetup, plan: RunPlan,
    report: @escaping @Sendable (CoordinatorEvent, _ problems: [String]) -> Void
  ) {
    self.plan = plan
    store = CheckpointStore(folder: plan.checkpoints?.folder ?? "")
    digests = RunIdentity.digests(of: setup)
    optimizer = OptimizerConfiguration(setup.configuration).description
    keptCount = setup.configuration.checkpoints.keep
    self.report = report
  }

  /// Finds the newest undamaged checkpoint of the run.
  func find() {
    queue.async { [self] in
      do {
        let latest =
          try isCopied
          ? store.latestManifest(runID: plan.runID) : store.latestUsable(runID: plan.runID)
        guard !latest.hasNoCheckpoint else { return report(.noCheckpoint, latest.problems) }
        let restored = try latest.manifest.map {
          RestoredCheckpoint(
            manifest: $0.name.manifest, version: $0.version, content: try content(of: $0))
        }
        report(.checkpointFound(restored), latest.problems)
      } catch {
        report(.checkpointSearchFailed("\(error)"), [])
      }
    }
  }

  /// Commits a checkpoint that all servers have written, and deletes old ones.
  func commit(_ commit: CheckpointCommit) {
    queue.async { [self] in
      do {
        report(.checkpointCommitted(try write(commit)), [])
      } catch {
        report(.checkpointCommitFailed(version: commit.version, message: "\(error)"), [])
      }
    }
  }

  /// Deletes servers' files that belong to no checkpoint.
  func discard(_ shards: [CheckpointShard]) {
    queue.async { [self] in
      // A file that cannot be deleted only costs space.
      try? store.discard(shards, serverCount: Int(plan.serverCount))
    }
  }

  /// Whether the files of servers are on their own disks.
  private var isCopied: Bool { plan.checkpoints?.isCopied == true }

  /// The text of a manifest for servers that do not share the folder; otherwise empty.
  private func content(of manifest: CheckpointManifest) throws(CheckpointError) -> String {
    isCopied ? try CheckpointManifest.text(manifest.name.manifest, in: store.storage) : ""
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
    if isCopied { try store.keep(manifest) } else { try store.commit(manifest) }
    // The checkpoint exists now; an old one that cannot be deleted only costs space.
    _ = try? store.prune(keepLast: keptCount)
    return CommittedCheckpoint(
      version: commit.version, generation: commit.generation, epoch: commit.epoch,
      manifest: manifest.name.manifest, created: manifest.created,
      content: try content(of: manifest))
  }
}
