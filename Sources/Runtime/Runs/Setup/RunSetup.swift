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
import Worker

/// A configuration and a data set with everything derived from them: the model, and the values that
/// coordinator, servers and workers must agree on.
package struct RunSetup: Sendable {
  package let configuration: RunConfiguration
  /// The configuration as text, with the source of every value.
  package let configurationText: String
  package let dataset: Dataset
  package let model: TrainingModel

  /// The data set's folder as the run's configuration names it.
  package var dataFolder: String { configuration.data.folder }

  /// Loads the data and builds the model.
  ///
  /// - Parameter folder: of the data set on this machine.
  /// - Throws: `DatasetError`, `ModelError`, ``RuntimeError``.
  package init(configuration: RunConfiguration, folder: String) throws {
    try self.init(
      configuration: configuration, dataset: Dataset.load(folder: folder, for: configuration))
  }

  /// Builds the model on data that was loaded for these settings.
  ///
  /// - Parameters:
  ///   - graphs: where the model's graphs come from; nil: they are kept on disk.
  ///   - showsProgress: whether the building of graphs is shown on stderr.
  /// - Throws: `ModelError`; `DatasetError` for data without validation interactions;
  ///   ``RuntimeError`` for settings that the optimizer does not accept.
  package init(
    configuration: RunConfiguration, dataset: Dataset, graphs: GraphStore? = nil,
    showsProgress: Bool = false
  ) throws {
    self.configuration = configuration
    configurationText = configuration.resolvedYAML()
    self.dataset = dataset
    try OptimizerConfiguration(configuration).checkSettings()
    if let problem = dataset.trainingProblem { throw problem }
    let made = try Self.model(
      of: configuration,
      ModelInput(
        dataset, graphs: graphs ?? .keptOnDisk(of: dataset, showsProgress: showsProgress)))
    let weights = try InitialWeights(of: configuration)
    model =
      try weights.map {
        try made.starting(
          from: $0, userCount: dataset.userCount, itemCount: dataset.itemCount)
      } ?? made
    try checkAdmission()
  }

  private func checkAdmission() throws {
    guard configuration.training.admissionCount > 0,
      let table = Admission.wholeTable(of: model, dataset)
    else { return }
    throw RuntimeError(
      exitCode: .configuration,
      message: "Cannot train with admission_count: '\(configuration.model.model)' reads its table "
        + "'\(table)' as a whole in every step. Choose a model that reads rows of the batch, such "
        + "as vbpr, or admission_count 0.")
  }

  /// The model that a configuration asks for, with its own initial values.
  ///
  /// - Throws: `ModelError` when the settings do not go with the data.
  package static func model(
    of configuration: RunConfiguration, _ input: ModelInput
  ) throws -> TrainingModel {
    var input = input
    input.batchSize = configuration.training.batchSize
    return try ModelRegistry.make(
      configuration.model.model, input: input, settings: configuration.values,
      objective: configuration.model.objective == .mrdib ? configuration.mrdib : nil,
      seed: UInt64(configuration.training.seed))
  }

  /// The same setup with the text from which its settings were read, which has the source of every
  /// value.
  package func with(configurationText: String) -> RunSetup {
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

  package var seed: UInt64 { UInt64(configuration.training.seed) }

  package var roundsPerStep: Int {
    // Without a discriminator all rounds would be the same.
    configuration.isInEffect(EstimatorSettings.rounds)
      && configuration.mrdib.redundancyWeight != 0
      ? configuration.values[EstimatorSettings.rounds] : 1
  }

  /// The users that evaluations are measured on; nil for all.
  private var sample: EvaluationSample? {
    EvaluationSample(of: dataset, count: configuration.selection.evaluationUsers, seed: seed)
  }

  /// The blocks of an evaluation.
  package var blocks: EvaluationBlocks {
    EvaluationBlocks(
      model: model, userCount: sample?.users.count ?? dataset.userCount,
      materializeBlockSize: configuration.cluster.materializeBlockItems,
      rankBlockSize: configuration.cluster.evaluationBlockUsers)
  }

  /// The coordinator's plan of the run.
  ///
  /// - Parameters:
  ///   - term: of the coordinator.
  ///   - pause: after how many epochs it stops and can be resumed; nil: it trains to its end.
  ///   - checkpointFolder: used if the settings name none; nil means no checkpoints.
  package func plan(
    runID: String, term: UInt64 = 1, pausingAfter pause: Int? = nil,
    checkpointFolder: String? = nil
  ) -> RunPlan {
    let cluster = configuration.cluster
    return RunPlan(
      runID: runID, term: term, configuration: configurationText,
      tables: model.tables.map { TableDescription($0) }, seed: seed,
      shardCount: UInt32(configuration.training.shards), workerCount: UInt32(cluster.workers),
      serverCount: UInt32(cluster.servers), stepsPerEpoch: UInt32(stepsPerEpoch),
      roundsPerStep: UInt32(roundsPerStep), epochs: UInt32(configuration.training.epochs),
      pause: pause.map { UInt32(clamping: $0) },
      evaluationInterval: UInt32(configuration.selection.evaluationInterval),
      materializeBlockCount: UInt32(blocks.materializeCount),
      materializeRoundCount: UInt32(blocks.materializeRoundCount),
      rankBlockCount: UInt32(blocks.rankCount),
      rankSumCount: FullRanking(
        cutoffs: configuration.selection.cutoffs, metrics: configuration.metrics
      ).sumCount(
        of: dataset.evaluationSplits(
          groups: configuration.selection.metricGroups, sample: sample)),
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

  /// The folder and interval of checkpoints.
  private func checkpoints(of runID: String, in standardFolder: String?) -> CheckpointPlan? {
    let keys = configuration.checkpoints
    guard let folder = configuration.checkpointFolder(of: runID) ?? standardFolder else {
      return nil
    }
    let steps = keys.steps > 0 ? keys.steps : keys.epochs * stepsPerEpoch
    return CheckpointPlan(
      folder: folder, interval: UInt64(steps * roundsPerStep), copies: UInt32(keys.copies))
  }

  private var stepsPerEpoch: Int {
    BatchSampler(dataset: dataset, seed: seed, batchSize: configuration.training.batchSize)
      .stepsPerEpoch(atMost: configuration.training.epochSteps)
  }

  /// The interactions that an epoch trains on.
  package var examplesPerEpoch: Int {
    min(dataset.trainUsers.count, stepsPerEpoch * configuration.training.batchSize)
  }

  package var selectionRule: SelectionRule { configuration.selectionRule }

  /// A worker's computation.
  package func engine(serverCount: Int) -> WorkerEngine {
    WorkerEngine(
      dataset: dataset, model: model, serverCount: serverCount,
      setting: WorkerEngine.Setting(
        seed: seed, shardCount: configuration.training.shards,
        roundsPerStep: roundsPerStep, batchSize: configuration.training.batchSize,
        epochSteps: configuration.training.epochSteps, topK: configuration.selection.cutoffs,
        metrics: configuration.metrics,
        measuresGroups: configuration.selection.metricGroups,
        evaluationUsers: configuration.selection.evaluationUsers,
        admissionCount: configuration.training.admissionCount,
        rankBlockSize: configuration.cluster.evaluationBlockUsers,
        materializeBlockSize: configuration.cluster.materializeBlockItems,
        consistency: Consistency(configuration)))
  }
}

extension RunConfiguration {
  /// How the best epoch is chosen, and when a run stops early.
  package var selectionRule: SelectionRule {
    SelectionRule(
      metric: "valid.\(self.selection.metric.yaml)",
      patience: UInt32(self.selection.stoppingStep),
      rounding: self.selection.compatibility == .mmrec ? .fourDecimals : .none)
  }
}

extension Dataset {
  /// Loads the data that a configuration's model reads.
  ///
  /// - Parameter showsProgress: whether the reading of large interactions is shown on stderr.
  /// - Throws: `DatasetError`.
  static func load(
    folder: String, for configuration: RunConfiguration, showsProgress: Bool = false
  ) throws -> Dataset {
    let modalities = configuration.data.modalities.map {
      ModalityDescription(name: $0.name, file: $0.file)
    }
    // What reading took for a moment is not needed again.
    defer { ProcessMemory.release() }
    return try load(
      folder: folder, modalities: modalities.isEmpty ? nil : modalities,
      needsFeatures: ModelRegistry.needsFeatures(configuration.model.model),
      treatment: configuration.featureTreatment, cache: .ofUser(showsProgress: showsProgress))
  }
}

extension InteractionCache {
  private static let log = RateLimitedLog(label: "mrdib.data", limit: RateLimit(lines: 1))

  /// The cache of this user; nil without a home directory. A file that cannot be read or written
  /// causes a warning: the run is correct without it, but every start takes longer.
  static func ofUser(showsProgress: Bool) -> InteractionCache? {
    let progress = showsProgress ? PreparationProgress() : nil
    return UserFolder.cache.map { cache in
      InteractionCache(folder: "\(cache)/interactions") { event in
        progress?.note(event)
        switch event {
        case .refused, .notWritten: log.warning("\(event)")
        case .preparing, .prepared, .loaded: break
        }
      }
    }
  }
}

extension RunSetup {
  /// Settings that have no effect on this run, and features that it could use but does not, as
  /// sentences.
  package var warnings: [String] {
    configuration.settingsWithoutEffect + dataset.unusedFileWarnings
      + [
        RunInput(configuration: configuration, dataset: dataset).redundancyWarning,
        ModelRegistry.coldItemWarning(
          configuration.model.model, count: dataset.coldHeldOutCount),
        expiryWarning, memoryWarning,
      ].compactMap { $0 }
      + RunInput(configuration: configuration, dataset: dataset).missingWarnings
  }
}

extension RunSetup {
  /// Says whose rows do not expire; nil if all do, or none is to.
  private var expiryWarning: String? {
    let kept = model.tables.filter { $0.initializer == .pushed && $0.parameterCount > 0 }
    guard configuration.training.expiryEpochs > 0, !kept.isEmpty else { return nil }
    let names = kept.map { "'\($0.name)'" }.joined(separator: ", ")
    return
      "expiry_epochs has no effect on \(names): their initial values are computed from data or "
      + "taken from another run, and servers do not know them"
  }
}

extension RunInput {
  /// Settings of items without a modality where there are none, as sentences.
  package var missingWarnings: [String] {
    guard !dataset.features.isEmpty else { return [] }
    var warnings: [String] = []
    if configuration.data.nanRows == .missing,
      !dataset.features.contains(where: { $0.nanRowCount > 0 })
    {
      warnings.append("nan_rows=missing has no effect: no row of features is NaN in all columns")
    }
    let missing = configuration.data.missing
    if missing != .filled, dataset.modalityCounts == nil {
      warnings.append(
        "missing=\(missing.rawValue) has no effect: all items have all modalities (missing_rate "
          + "takes some away)")
    }
    return warnings
  }

  /// Says that terms between modalities do nothing where there is only one; nil if they do.
  package var redundancyWarning: String? {
    guard dataset.features.count == 1, configuration.model.objective == .mrdib,
      configuration.mrdib.redundancyWeight != 0
    else { return nil }
    let name = dataset.features[0].name
    return "the redundancy term (alpha2) has no effect with one modality (\(name)): it is between "
      + "modalities; add one with mrdib data features, or set alpha2 to 0"
  }
}

/// Identifiers of runs.
package enum RunIdentifier {
  /// A unique identifier.
  package static func fresh() -> String { UUID().uuidString.lowercased() }
}

extension RunSetup {
  /// The directory of this run without `--run`.
  package func standardDirectory(date: Date) -> String {
    RunDirectory.standardPath(
      model: configuration.model.model, dataset: dataset.name,
      configurationDigest: configuration.digest, date: date)
  }
}

extension GraphStore {
  /// At most one line a minute, because an unwritable folder causes a warning for every graph.
  private static let log = RateLimitedLog(label: "mrdib.graphs", limit: RateLimit(lines: 1))

  /// The graphs of a data set, cached on disk. Files that cannot be read or written cause a
  /// warning: the run is correct without them, but every start takes longer.
  static func keptOnDisk(of dataset: Dataset, showsProgress: Bool) -> GraphStore {
    let progress = showsProgress ? PreparationProgress() : nil
    return GraphStore(dataset: dataset, cacheFolder: UserFolder.cache.map { "\($0)/graphs" }) {
      event in
      progress?.note(event)
      switch event {
      case .refused, .notWritten: log.warning("\(event)")
      case .building, .built, .loaded: break
      }
    }
  }
}
