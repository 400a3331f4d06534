import Datasets
import Protocol
import Recommenders
import Tables
import Tensors

/// Everything that a worker computes with: data, model, and the placement of rows.
package final class WorkerEngine {
  /// The settings of a run that the computation depends on.
  package struct Setting: Sendable {
    package var seed: UInt64
    package var shardCount: Int
    package var roundsPerStep: Int
    package var batchSize: Int
    /// The most steps of an epoch; 0: as many as have every interaction once.
    package var epochSteps: Int
    package var topK: [Int]
    /// The metrics of an evaluation, computed at each of `topK`.
    package var metrics: [Metric]
    /// Whether groups of users and items are measured, too.
    package var measuresGroups: Bool
    /// How many users an evaluation is measured on; 0: all.
    package var evaluationUsers: Int
    /// The least number of training interactions of a user or item whose rows are trained.
    package var admissionCount: Int
    /// Users per block of a ranking.
    package var rankBlockSize: Int
    /// Final vectors per block of a materialization.
    package var materializeBlockSize: Int
    /// How stale the rows of a gradient may be.
    package var consistency: Consistency

    package init(
      seed: UInt64, shardCount: Int, roundsPerStep: Int, batchSize: Int,
      epochSteps: Int = 0, topK: [Int], metrics: [Metric] = Metric.standard,
      measuresGroups: Bool = false,
      evaluationUsers: Int = 0, admissionCount: Int = 0, rankBlockSize: Int,
      materializeBlockSize: Int,
      consistency: Consistency = .bulkSynchronous
    ) {
      self.seed = seed
      self.shardCount = shardCount
      self.roundsPerStep = roundsPerStep
      self.batchSize = batchSize
      self.epochSteps = epochSteps
      self.topK = topK
      self.metrics = metrics
      self.measuresGroups = measuresGroups
      self.evaluationUsers = evaluationUsers
      self.admissionCount = admissionCount
      self.rankBlockSize = rankBlockSize
      self.materializeBlockSize = materializeBlockSize
      self.consistency = consistency
    }
  }

  package let dataset: Dataset
  let model: TrainingModel
  private(set) var routing: TableRouting
  let setting: Setting
  let sampler: BatchSampler
  /// Which rows are trained; nil for all.
  let admission: Admission?
  /// Steps of an epoch.
  var stepsPerEpoch: Int { sampler.stepsPerEpoch(atMost: setting.epochSteps) }
  /// What a ranking is measured against.
  private(set) lazy var evaluationSplits = dataset.evaluationSplits(
    groups: setting.measuresGroups, sample: sample)
  /// The users that are ranked; nil for all.
  private(set) lazy var sample = EvaluationSample(
    of: dataset, count: setting.evaluationUsers, seed: setting.seed)
  /// Kept as long as the engine, so that steps reuse their buffers.
  private var tapes: [Tape] = []

  package init(dataset: Dataset, model: TrainingModel, serverCount: Int, setting: Setting) {
    self.dataset = dataset
    self.model = model
    routing = TableRouting(tables: model.tables, serverCount: serverCount)
    self.setting = setting
    admission = Admission(of: model, dataset, from: setting.admissionCount)
    sampler = BatchSampler(
      dataset: dataset, seed: setting.seed, batchSize: setting.batchSize)
  }

  /// Begins a generation with this number of servers. Data, model and buffers are kept; work that
  /// was begun before must not be advanced any more.
  package func enter(serverCount: Int) {
    guard serverCount != routing.serverCount else { return }
    routing = TableRouting(tables: model.tables, serverCount: serverCount)
  }

  func tape(_ index: Int) -> Tape {
    while tapes.count <= index { tapes.append(Tape()) }
    return tapes[index]
  }

  /// The work of a task.
  ///
  /// - Throws: ``TrainingError`` for a task that does not fit the run.
  package func work(for task: WorkerTask) throws -> any Work {
    switch task.body {
    case .train(let epoch, let firstVersion, let startVersion, let shards):
      guard !shards.isEmpty, Set(shards).count == shards.count,
        shards.allSatisfy({ $0 < setting.shardCount })
      else {
        throw TrainingError(
          "Cannot train shards \(shards): the run has \(setting.shardCount) shards.")
      }
      return try TrainWork(
        engine: self, generation: task.generation, epoch: Int(epoch), firstVersion: firstVersion,
        startVersion: startVersion, shards: shards.map(Int.init))
    case .materialize(let version, _, let blocks):
      return try MaterializeWork(
        engine: self, generation: task.generation, version: version, blocks: blocks)
    case .rank(let version, _, let blocks):
      return try RankWork(
        engine: self, generation: task.generation, version: version, blocks: blocks)
    }
  }
}

extension WorkerEngine {
  /// Pushes that assign both final matrices.
  func pushes(
    ofFinal final: WholeFinalVectors, parameters: [Matrix?], context: StepContext?,
    generation: UInt64, version: UInt64
  ) throws -> [ServerRequest<PushRequest>] {
    let present = parameters.map { $0 ?? Matrix(rows: 0, columns: 0) }
    let vectors = final.compute(present, context)
    func name(_ block: UInt32) -> ContributionName {
      ContributionName(generation: generation, version: version, shard: block)
    }
    return try pushes(
      of: vectors.user, rows: .all, table: model.finalTable(.user), name: name(0))
      + pushes(of: vectors.item, rows: .all, table: model.finalTable(.item), name: name(1))
  }

  /// Pushes that assign some rows of a final matrix.
  func pushes(
    of vectors: Matrix, rows: RowSelection, table: Int, name: ContributionName
  ) throws -> [ServerRequest<PushRequest>] {
    guard let routed = routing.route(rows, table: table) else { return [] }
    return try PushPlan(parts: [.init(table: table, rows: routed, values: vectors)])
      .requests(name: name, kind: .assign, routing: routing)
      .filter { !$0.body.sections.isEmpty }
  }
}
