import Coordination
import Datasets
import Graphs
import Messages
import Models
import ParameterServer
import RunConfiguration
import Settings
import Tables
import Tensors
import Training

/// What follows from a configuration and a data set: the model and everything that coordinator,
/// servers and workers must agree on.
public struct RunSetup: Sendable {
  public let configuration: RunConfiguration
  /// The configuration as text, with the source of every value.
  public let configurationText: String
  public let dataset: Dataset
  public let model: TrainingModel

  /// Loads the data and builds the model.
  ///
  /// - Parameter folder: where the data set lies on this machine.
  /// - Throws: `DatasetError`, `ModelError`, ``RuntimeError``.
  public init(configuration: RunConfiguration, folder: String) throws {
    try self.init(
      configuration: configuration, dataset: Dataset.load(folder: folder, for: configuration))
  }

  /// Builds the model on data that was loaded for these settings.
  ///
  /// - Throws: `ModelError`; ``RuntimeError`` for data without validation interactions.
  public init(configuration: RunConfiguration, dataset: Dataset) throws {
    self.configuration = configuration
    configurationText = configuration.resolvedYAML()
    self.dataset = dataset
    guard !dataset.valid.columns.isEmpty else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot train on data set '\(dataset.name)': no user of the training data has a "
          + "validation interaction (x_label 1), so that \(configuration.selection.metric.yaml) "
          + "cannot choose an epoch. Split the data anew.")
    }
    var input = ModelInput(dataset, graphs: .keptOnDisk(of: dataset))
    input.batchSize = configuration.training.batchSize
    model = try ModelRegistry.make(
      configuration.model.model, input: input, settings: configuration.values,
      objective: configuration.model.objective == .mrdib ? configuration.mrdib : nil,
      seed: UInt64(configuration.training.seed))
  }

  /// The same settings under the text that they were read from, which knows better where each
  /// value came from.
  public func with(configurationText: String) -> RunSetup {
    RunSetup(
      configuration: configuration, text: configurationText, dataset: dataset, model: model)
  }

  private init(
    configuration: RunConfiguration, text: String, dataset: Dataset, model: TrainingModel
  ) {
    self.configuration = configuration
    configurationText = text
    self.dataset = dataset
    self.model = model
  }

  public var seed: UInt64 { UInt64(configuration.training.seed) }

  public var roundsPerStep: Int {
    // Without a discriminator every round would do the same.
    configuration.isInEffect(EstimatorSettings.rounds)
      && configuration.mrdib.redundancyWeight != 0
      ? configuration.values[EstimatorSettings.rounds] : 1
  }

  /// How evaluation is cut into blocks.
  public var blocks: EvaluationBlocks {
    EvaluationBlocks(
      model: model, userCount: dataset.userCount,
      materializeBlockSize: configuration.cluster.materializeBlockItems,
      rankBlockSize: configuration.cluster.evaluationBlockUsers)
  }

  /// The coordinator's plan of the run.
  ///
  /// - Parameters:
  ///   - term: of the coordinator that follows the plan.
  ///   - checkpointFolder: where the settings name none; nil: no checkpoints.
  public func plan(
    runID: String, term: UInt64 = 1, checkpointFolder: String? = nil
  ) -> RunPlan {
    let cluster = configuration.cluster
    return RunPlan(
      runID: runID, term: term, configuration: configurationText,
      tables: model.tables.map { TableDescription($0) }, seed: seed,
      shardCount: UInt32(configuration.training.shards), workerCount: UInt32(cluster.workers),
      serverCount: UInt32(cluster.servers), stepsPerEpoch: UInt32(stepsPerEpoch),
      roundsPerStep: UInt32(roundsPerStep), epochs: UInt32(configuration.training.epochs),
      evaluationInterval: UInt32(configuration.selection.evaluationInterval),
      materializeBlockCount: UInt32(blocks.materializeCount),
      rankBlockCount: UInt32(blocks.rankCount),
      exposure: ExposurePlan(
        metrics: configuration.metrics, cutoffs: configuration.selection.cutoffs,
        itemCount: dataset.itemCount, usersPerBlock: cluster.evaluationBlockUsers),
      selection: selectionRule,
      isExact: Consistency(configuration).isExact,
      checkpoints: checkpoints(of: runID, in: checkpointFolder),
      timing: CoordinationTiming(
        heartbeatInterval: Double(cluster.heartbeatInterval) / 1000,
        heartbeatTimeout: Double(cluster.nodeTimeout) / 1000,
        startupTimeout: Double(cluster.startupTimeout) / 1000))
  }

  /// Where and when checkpoints are written.
  private func checkpoints(of runID: String, in standardFolder: String?) -> CheckpointPlan? {
    let keys = configuration.checkpoints
    guard let folder = configuration.checkpointFolder(of: runID) ?? standardFolder else {
      return nil
    }
    let steps = keys.steps > 0 ? keys.steps : keys.epochs * stepsPerEpoch
    return CheckpointPlan(folder: folder, interval: UInt64(steps * roundsPerStep))
  }

  private var stepsPerEpoch: Int {
    let batch = configuration.training.batchSize
    return (dataset.trainUsers.count + batch - 1) / batch
  }

  public var selectionRule: SelectionRule {
    SelectionRule(
      metric: "valid.\(configuration.selection.metric.yaml)",
      patience: UInt32(configuration.selection.stoppingStep),
      rounding: configuration.selection.compatibility == .mmrec ? .fourDecimals : .none)
  }

  /// A worker's computation.
  public func engine(serverCount: Int) -> WorkerEngine {
    WorkerEngine(
      dataset: dataset, model: model, serverCount: serverCount,
      setting: WorkerEngine.Setting(
        seed: seed, shardCount: configuration.training.shards,
        roundsPerStep: roundsPerStep, batchSize: configuration.training.batchSize,
        topK: configuration.selection.cutoffs, metrics: configuration.metrics,
        rankBlockSize: configuration.cluster.evaluationBlockUsers,
        materializeBlockSize: configuration.cluster.materializeBlockItems,
        consistency: Consistency(configuration)))
  }
}

extension Dataset {
  /// Loads what a configuration's model reads.
  ///
  /// - Throws: `DatasetError`.
  static func load(folder: String, for configuration: RunConfiguration) throws -> Dataset {
    let modalities = configuration.data.modalities.map {
      ModalityDescription(name: $0.name, file: $0.file)
    }
    return try load(
      folder: folder, modalities: modalities.isEmpty ? nil : modalities,
      needsFeatures: ModelRegistry.needsFeatures(configuration.model.model))
  }
}
