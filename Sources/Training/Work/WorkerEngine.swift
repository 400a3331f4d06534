internal import Autodiff
public import Datasets
public import Evaluation
public import Messages
public import Models
public import Tables

/// Everything that computing needs on one worker: data, model, and where rows live.
public final class WorkerEngine {
  /// What of the run the computation depends on.
  public struct Setting: Sendable {
    public var seed: UInt64
    public var shardCount: Int
    public var roundsPerStep: Int
    public var batchSize: Int
    public var topK: [Int]
    /// What an evaluation computes at each of them.
    public var metrics: [Metric]
    /// Users per block of a ranking.
    public var rankBlockSize: Int
    /// Final vectors per block of a materialization.
    public var materializeBlockSize: Int
    /// How old the rows may be that gradients are computed from.
    public var consistency: Consistency

    public init(
      seed: UInt64, shardCount: Int, roundsPerStep: Int, batchSize: Int, topK: [Int],
      metrics: [Metric] = Metric.standard, rankBlockSize: Int, materializeBlockSize: Int,
      consistency: Consistency = .bulkSynchronous
    ) {
      self.seed = seed
      self.shardCount = shardCount
      self.roundsPerStep = roundsPerStep
      self.batchSize = batchSize
      self.topK = topK
      self.metrics = metrics
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
  /// Tapes live as long as the engine, so that steps reuse their buffers.
  private var tapes: [Tape] = []

  public init(dataset: Dataset, model: TrainingModel, serverCount: Int, setting: Setting) {
    self.dataset = dataset
    self.model = model
    routing = TableRouting(tables: model.tables, serverCount: serverCount)
    self.setting = setting
    sampler = BatchSampler(
      dataset: dataset, seed: setting.seed, batchSize: setting.batchSize)
  }

  /// Takes up a generation with this many servers. Data, model and buffers stay; work that is under
  /// way is not to be advanced any more.
  public func enter(serverCount: Int) {
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
  public func work(for task: WorkerTask) throws -> any Work {
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

/// How evaluation is cut into blocks; coordinator and workers must agree on it.
public struct EvaluationBlocks: Sendable {
  /// A block of final vectors to compute.
  enum Final: Sendable {
    case range(RowwiseFinal, Range<Int>)
    /// Both sides, from these whole tables.
    case whole(WholeFinal, rows: [RowSelection])

    /// The rows of the first tables that the block depends on.
    var rows: [RowSelection] {
      switch self {
      case .range(let final, let range): final.rows(range)
      case .whole(_, let rows): rows
      }
    }
  }

  private let finals: [Final]
  private let users: [Range<Int>]

  public init(
    model: TrainingModel, userCount: Int, materializeBlockSize: Int, rankBlockSize: Int
  ) {
    switch model.backbone.final {
    case .tables:
      finals = []
    case .rows(let final):
      let count = model.tables[model.finalTable(final.side)].rows
      finals = Self.ranges(count, by: materializeBlockSize).map { .range(final, $0) }
    case .whole(let final):
      let rows = model.tables.indices.map { table -> RowSelection in
        final.tables.contains(table) ? .all : .none
      }
      // Stale vectors are written by the last training step instead.
      finals = final.isStale ? [] : [.whole(final, rows: rows)]
    }
    users = Self.ranges(userCount, by: rankBlockSize)
  }

  public var materializeCount: Int { finals.count }
  public var rankCount: Int { users.count }

  /// The final vectors of a block; nil beyond the last.
  func final(_ block: UInt32) -> Final? {
    block < finals.count ? finals[Int(block)] : nil
  }

  /// The users of a block; nil beyond the last.
  public func users(_ block: UInt32) -> Range<Int>? {
    block < users.count ? users[Int(block)] : nil
  }

  private static func ranges(_ count: Int, by size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

extension WorkerEngine {
  var blocks: EvaluationBlocks {
    EvaluationBlocks(
      model: model, userCount: dataset.userCount,
      materializeBlockSize: setting.materializeBlockSize, rankBlockSize: setting.rankBlockSize)
  }
}
