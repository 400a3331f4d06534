import Checkpoints
import Configuration
import Coordinator
import Dispatch
import Foundation
import Logging
import ParameterServer
import Protocol
import Settings
import Synchronization

/// The coordinator's side of checkpoints on disk: finds the one to resume from, and commits what
/// the servers wrote. Verifying and deleting wait for disks, so this class has a queue of its own.
final class CheckpointCommitter: Sendable {
  private let queue = DispatchQueue(label: "mrdib.coordinator.checkpoints", qos: .utility)
  private let plan: RunPlan
  private let store: CheckpointStore
  private let digests: [String: String]
  private let optimizer: OptimizerDescription
  private let keptCount: Int
  private let records: RecordsCopier
  /// Raised by every search: copies for an earlier generation are of no use.
  private let searches = Mutex(0)
  private let report: @Sendable (CoordinatorEvent, _ problems: [String]) -> Void
  private let logger = Logger(label: "mrdib.coordinator")

  /// - Parameters:
  ///   - records: copies the records to servers' disks.
  ///   - report: called on the queue with the result of a job, and the problems of checkpoints that
  ///     were skipped.
  init(
    setup: RunSetup, plan: RunPlan, records: RecordsCopier,
    report: @escaping @Sendable (CoordinatorEvent, _ problems: [String]) -> Void
  ) {
    self.plan = plan
    store = CheckpointStore(folder: plan.checkpoints?.folder ?? "")
    digests = RunIdentity.digests(of: setup)
    optimizer = OptimizerConfiguration(setup.configuration).description
    keptCount = setup.configuration.checkpoints.keep
    self.records = records
    self.report = report
  }

  /// Finds the newest undamaged checkpoint of the run.
  func find() {
    searches.withLock { $0 += 1 }
    queue.async { [self] in
      do {
        guard !isCopied else { return try list() }
        let latest = try store.latestUsable(runID: plan.runID, dataDigest: digests["data"])
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

  /// Most checkpoints of which servers are asked which files they have.
  private static let mostListed = 8

  private func list() throws {
    let found = try store.manifests(runID: plan.runID)
    guard !found.hasNoCheckpoint else { return report(.noCheckpoint, found.problems) }
    let listed = try found.manifests.prefix(Self.mostListed).map { manifest in
      let (generation, version) = (manifest.name.generation, manifest.version)
      return ListedCheckpoint(
        restored: RestoredCheckpoint(
          manifest: manifest.name.manifest, version: version, content: try content(of: manifest)),
        name: .init(generation: generation, version: version),
        rows: manifest.shards.enumerated().map { rank, shard in
          HeldRows(
            generation: generation, version: version, rank: UInt32(rank), digest: shard.digest)
        })
    }
    report(.checkpointsListed(listed), found.problems)
  }

  /// Commits a checkpoint that all servers have written, and deletes old ones.
  ///
  /// - Parameter keepers: the servers of which one keeps a copy of the records.
  func commit(_ commit: CheckpointCommit, keepers: [ServerPlace]) {
    let search = searches.withLock { $0 }
    queue.async { [self] in
      do {
        report(.checkpointCommitted(try write(commit, keepers: keepers, since: search)), [])
      } catch {
        report(.checkpointCommitFailed(version: commit.version, message: "\(error)"), [])
      }
    }
  }

  /// Copies the records, as of the newest checkpoint, if their copy is lost.
  func copyRecords(to keepers: [ServerPlace]) {
    let search = searches.withLock { $0 }
    queue.async { [self] in
      do {
        guard isCopied, let newest = try store.manifests(runID: plan.runID).manifests.first else {
          return
        }
        try copyRecords(asOf: newest, to: keepers, since: search)
      } catch {
        // The next checkpoint copies them, or fails with this cause.
        logger.warning("the records were not copied again: \(error)")
      }
    }
  }

  /// - Parameter search: how many searches there were when this was asked for.
  private func copyRecords(
    asOf manifest: CheckpointManifest, to keepers: [ServerPlace], since search: Int
  ) throws {
    let older = try store.manifests(runID: plan.runID).manifests.filter { $0.name < manifest.name }
    try records.copy(
      asOf: [manifest] + older.prefix(max(0, keptCount - 1)), to: keepers
    ) { [self] in searches.withLock { $0 == search } }
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

  private func write(
    _ commit: CheckpointCommit, keepers: [ServerPlace], since search: Int
  ) throws -> CommittedCheckpoint {
    let manifest = try CheckpointManifest(
      runID: plan.runID,
      schedule: StepSchedule(
        stepsPerEpoch: Int(plan.stepsPerEpoch), roundsPerStep: Int(plan.roundsPerStep)),
      tables: plan.tables, optimizer: optimizer, shards: commit.shards,
      configuration: plan.configuration,
      configurationDigest: digests["configuration"] ?? "", dataDigest: digests["data"] ?? "",
      created: Date().ISO8601Format())
    if isCopied {
      // First the copy: if this disk is lost, the checkpoint is of no use without the records.
      try copyRecords(asOf: manifest, to: keepers, since: search)
      try store.keep(manifest)
    } else {
      try store.commit(manifest)
    }
    // The checkpoint exists now; an old one that cannot be deleted only costs space.
    _ = try? store.prune(keepLast: keptCount)
    return CommittedCheckpoint(
      version: commit.version, generation: commit.generation, epoch: commit.epoch,
      manifest: manifest.name.manifest, created: manifest.created,
      content: try content(of: manifest))
  }
}
