import Checkpoints
import Configuration
import Coordinator
import Datasets
import Foundation
import ParameterServer
import Protocol
import Recommenders
import Settings
import Tables
import Tensors

/// Continues a run on data that has grown since: new users and items at the end of the ids, more
/// training interactions, or both.
///
/// The newest checkpoint becomes one of the grown data: known rows keep their weights and the
/// states of the optimizer, new ones begin at their initial values. It is the beginning of the
/// first epoch that the checkpoint has not finished, in a schedule with the new number of steps per
/// epoch. An epoch that was interrupted begins again, with what was trained of it in the weights.
/// The bits of the continued run are a function of the earlier checkpoint, the grown data and the
/// settings.
struct RunGrowth {
  private let run: StoredRun
  private let checkpoint: CheckpointManifest
  private let setup: RunSetup
  private let store: CheckpointStore
  /// What is new.
  private let data: GrownData

  /// - Returns: nil if the run was begun with other settings, so that its data need not be looked
  ///   at, or with the same data.
  /// - Throws: ``RuntimeError`` if the data has not only grown, or the run has no checkpoint that
  ///   can be continued.
  init?(of run: StoredRun, in directory: RunDirectory, for setup: RunSetup) throws {
    let earlier = run.identity.digests["data"]
    guard earlier != setup.dataset.digest,
      earlier?.hasPrefix("\(ByteDigest.algorithm):") == true,
      try ResumableRun.settingDifferences(
        run.identity.configuration, setup.configuration, ignoring: ["epochs"]
      ).isEmpty
    else { return nil }
    self.run = run
    self.setup = setup
    store = CheckpointStore(
      folder: setup.configuration.checkpointFolder(of: run.identity.id, in: directory))
    func refusal(_ problem: String) -> RuntimeError {
      RuntimeError(
        exitCode: .configuration,
        message: "Cannot resume the run in '\(directory.path)': the data has changed, and has not "
          + "only grown: \(problem). Use the run's own data with additions at its end, name "
          + "another folder with --run, or start from scratch with --overwrite.")
    }
    guard setup.configuration.checkpoints.copies == 1 else {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot resume the run in '\(directory.path)' on changed data: its checkpoints "
          + "are on the disks of its servers (checkpoint_copies 2). Begin another run with "
          + "--start-from.")
    }
    let latest = try store.latestUsable(
      runID: run.identity.id, dataDigest: earlier)
    guard let checkpoint = latest.manifest, checkpoint.epoch > 0 else {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot resume the run in '\(directory.path)' on changed data: "
          + (latest.manifest == nil
            ? "there is no checkpoint of it in '\(store.folder)'"
            : "its newest checkpoint is of the first epoch, which is not finished")
          + ". Resume with the run's own data, or start from scratch with --overwrite.")
    }
    self.checkpoint = checkpoint
    do {
      data = try GrownData(of: setup, since: run, checkpoint, in: directory)
      try Self.check(checkpoint.tables, setup)
    } catch let error as GrownData.Shrinkage {
      throw refusal(error.problem)
    }
  }

  /// Checks that tables of users and items have grown, and no others.
  private static func check(_ tables: [CheckpointManifest.Table], _ setup: RunSetup) throws {
    for table in tables {
      guard let now = setup.model.tables.first(where: { $0.name == table.name }) else { continue }
      let counts = [setup.dataset.userCount, setup.dataset.itemCount]
      guard now.rows == table.rows || now.rows > table.rows && counts.contains(now.rows),
        now.width == table.width
      else {
        throw GrownData.Shrinkage(
          "its table '\(table.name)' was \(table.rows) × \(table.width) and is \(now.rows) × "
            + "\(now.width) now, which is no table of users or items; are the features the same?")
      }
    }
  }

  private var schedule: StepSchedule {
    StepSchedule(
      stepsPerEpoch: Int(setup.plan(runID: run.identity.id).stepsPerEpoch),
      roundsPerStep: setup.roundsPerStep)
  }

  /// Writes the checkpoint of the grown data, records the data, and completes the checkpoint.
  ///
  /// A process that is killed on the way leaves the run of the earlier data, with files that belong
  /// to no checkpoint, or that of the grown data, whose checkpoint ``complete(_:in:)`` completes.
  ///
  /// - Parameter note: receives lines for the user, the first before anything is written.
  func apply(to records: RunStore, note: (String) -> Void) throws {
    note("the data has grown: \(data.news)")
    let epoch = UInt32(checkpoint.epoch)
    let version = UInt64(epoch) * schedule.versionsPerEpoch
    let generation = max(run.progress.generation, checkpoint.name.generation) + 1
    note("the run continues in epoch \(epoch) with the rows of '\(checkpoint.name.manifest)'")
    let manifest = try write(version: version, generation: generation)
    let best = run.comparableEvaluations.last { $0.epoch == run.progress.best?.epoch }
    let delivery = DataDelivery(
      epoch: epoch, version: version, digest: setup.dataset.digest,
      users: setup.dataset.userCount, items: setup.dataset.itemCount,
      interactions: setup.dataset.trainUsers.count, news: data.news,
      earlierBest: best.flatMap { evaluation in
        evaluation.metrics[setup.selectionRule.metric].map {
          .init(epoch: evaluation.epoch, value: $0)
        }
      })
    try records.grow(
      delivery,
      identity: RunIdentity(
        id: run.identity.id, created: run.identity.created,
        configuration: setup.configurationText, digests: RunIdentity.digests(of: setup)),
      progress: RunProgress(
        status: .interrupted, generation: generation, epochsFinished: epoch, version: version,
        best: nil, isBestSaved: false, nonImprovingCount: 0, term: run.progress.term),
      checkpoint: CommittedCheckpoint(
        version: version, generation: generation, epoch: epoch,
        manifest: manifest.name.manifest, created: manifest.created,
        content: try manifest.text()))
    try store.commit(manifest)
    guard let best = delivery.earlierBest else { return }
    note(
      "the best model is chosen again, on the new validation data: the earlier best value, "
        + "\(ProgressFormat.number(best.value)) in epoch \(best.epoch), is no comparison")
  }

  /// Writes the files, but not the manifest.
  private func write(version: UInt64, generation: UInt64) throws -> CheckpointManifest {
    let plan = setup.plan(runID: run.identity.id)
    let optimizer = OptimizerConfiguration(setup.configuration)
    let reader = try CheckpointReader(checkpoint, in: store)
    let earlier = GrownTables.Earlier(
      reader, schedule: checkpoint.schedule,
      rows: Dictionary(uniqueKeysWithValues: checkpoint.tables.map { ($0.name, $0.rows) }))
    let digests = RunIdentity.digests(of: setup)
    let writer = CheckpointShardWriter(
      store, configurationDigest: digests["configuration"] ?? "")
    let serverCount = setup.configuration.cluster.servers
    let shards = try (0..<serverCount).map { rank in
      let tables = try GrownTables(
        rank: rank, serverCount: serverCount, tables: setup.model.tables, seed: setup.seed,
        shardCount: Int(plan.shardCount), optimizer: optimizer, schedule: schedule,
        version: version, after: earlier
      ) { [setup] table, row, values in
        let row = setup.model.initialValues(
          table: table, rows: row..<row + 1, seed: setup.seed, itemCount: setup.dataset.itemCount)
        withExtendedLifetime(row) { _ = values.update(fromContentsOf: row.elements) }
      }
      return try writer.write(tables.snapshot(runID: run.identity.id, generation: generation))
    }
    return try CheckpointManifest(
      runID: run.identity.id, schedule: schedule, tables: plan.tables,
      optimizer: optimizer.description, shards: shards, configuration: setup.configurationText,
      configurationDigest: digests["configuration"] ?? "", dataDigest: setup.dataset.digest,
      created: Date().ISO8601Format())
  }

  /// Writes the manifest of the grown data's checkpoint, if the process was killed before it did.
  static func complete(_ records: RunStore, in store: CheckpointStore) throws {
    guard let (file, content) = try records.grownCheckpoint(),
      let name = CheckpointName(folder: String(file.prefix { $0 != "/" })),
      // Once a newer one is there, it is no longer needed.
      try store.list().first(where: { $0.manifest != nil && $0.name >= name }) == nil
    else { return }
    try store.commit(
      CheckpointManifest.parse(
        Data(content.utf8), of: file, path: store.storage.path(of: file)))
  }
}
