import Configuration
import Datasets
import Recommenders
import Runtime
import Settings
import Tables
import Tensors

/// What the costs of a run depend on: its sizes, its model's tables and its processes.
package struct RunSize: Sendable {
  package let configuration: RunConfiguration
  package let counts: InteractionCounts
  package let users: Int
  package let items: Int
  /// Validation and test interactions.
  package let heldOut: Int
  /// The columns of each modality, and bytes per value in its file.
  package let modalities: [ModalitySize]
  /// The tables of the model at this size, as the servers hold them.
  package let tables: [TableSpec]
  /// The tables with the final vectors of users and of items.
  package let finalTables: (user: Int, item: Int)
  package let roundsPerStep: Int
  // Those of the configuration, unless other clusters are compared with it.
  package var workers: Int
  package var servers: Int
  package var shards: Int
  package var batchSize: Int

  /// Training interactions.
  package var interactions: Int { Int(counts.total.rounded()) }
  /// Steps until every training interaction was in a batch.
  var stepsPerPass: Int { max(1, (interactions + batchSize - 1) / batchSize) }
  /// Steps between two evaluations: those of a pass, or fewer with `epoch_steps`.
  package var stepsPerEpoch: Int {
    let most = configuration.training.epochSteps
    return most == 0 ? stepsPerPass : min(most, stepsPerPass)
  }
  /// The mean over the steps of an epoch.
  var tripletsPerStep: Double {
    stepsPerEpoch < stepsPerPass ? Double(batchSize) : counts.total / Double(stepsPerPass)
  }

  /// The rows that a part of a step's batch needs.
  ///
  /// - Parameter share: of the batch.
  package func rows(share: Double) -> PartRows {
    PartRows(
      share: share, batchSize: batchSize, epochSteps: configuration.training.epochSteps, of: counts,
      sampling: SampledNeighbours(configuration))
  }

  /// The shards of the worker that has most of them.
  package var shardsPerWorker: Int { (shards + workers - 1) / workers }
  /// The workers that have any.
  package var busyWorkers: Int { min(workers, shards) }

  /// The size of a run that is set up.
  package init(_ setup: RunSetup) {
    configuration = setup.configuration
    counts = InteractionCounts(setup.dataset)
    users = setup.dataset.userCount
    items = setup.dataset.itemCount
    heldOut = setup.dataset.valid.columns.count + setup.dataset.test.columns.count
    modalities = setup.dataset.features.map(ModalitySize.init)
    tables = setup.model.tables
    finalTables = setup.model.finalTables
    roundsPerStep = setup.roundsPerStep
    workers = configuration.cluster.workers
    servers = configuration.cluster.servers
    shards = configuration.training.shards
    batchSize = configuration.training.batchSize
  }

  /// The size of a run on data that there is not.
  ///
  /// - Throws: `ConfigurationError`, or `ModelError` if the model does not go with the settings.
  init(
    _ counts: InteractionCounts, users: Int, items: Int, heldOut: Int,
    modalities: [ModalitySize], of probe: ProbeConfiguration
  ) throws {
    // Only the widths of features decide the shapes of tables.
    let setup = try probe.setup(users: 60, items: 40, like: counts)
    let model = try RunSetup.model(
      of: setup.configuration,
      ModelInput(userCount: users, itemCount: items, features: setup.dataset.features))
    configuration = setup.configuration
    self.counts = counts
    self.users = users
    self.items = items
    self.heldOut = heldOut
    self.modalities = modalities
    tables = model.tables
    finalTables = model.finalTables
    roundsPerStep = setup.roundsPerStep
    workers = configuration.cluster.workers
    servers = configuration.cluster.servers
    shards = configuration.training.shards
    batchSize = configuration.training.batchSize
  }
}

/// The columns of a modality.
package struct ModalitySize: Sendable, Equatable {
  package let name: String
  package let columns: Int
  /// Of a value in the file of the features.
  package let bytesPerValue: Int

  package init(name: String, columns: Int, bytesPerValue: Int = 4) {
    self.name = name
    self.columns = columns
    self.bytesPerValue = bytesPerValue
  }

  init(_ features: FeatureMatrix) {
    self.init(
      name: features.name, columns: features.columns,
      bytesPerValue: features.file?.element.byteCount ?? 4)
  }
}
