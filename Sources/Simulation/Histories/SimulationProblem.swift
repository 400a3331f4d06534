import Coordinator
import Datasets
import ParameterServer
import Protocol
import Recommenders
import Settings
import Tables
import Tensors
import Worker

/// What simulated clusters train: a real model on a few synthetic interactions, small enough that a
/// whole run takes milliseconds.
package struct SimulationProblem: Sendable {
  /// The model, with what it needs of the protocol that others do not.
  package enum Kind: String, Sendable, CaseIterable {
    /// Rows of the batch, and sums over all shards.
    case bpr
    /// Several rounds per step, a discriminator, running averages, final vectors in blocks.
    case mrdib
    /// Whole tables and a shared forward pass.
    case lightgcn
    /// Initial values that are computed from data.
    case freedom
    /// Final vectors that the last training step writes.
    case mmgcn
    /// A sampled neighbourhood of each shard, and final vectors in rounds of blocks.
    case sampled

    /// The model's name.
    fileprivate var model: String {
      switch self {
      case .mrdib: "vbpr"
      case .sampled: "lightgcn"
      case .bpr, .lightgcn, .freedom, .mmgcn: rawValue
      }
    }
  }

  /// How many epochs a run has, and after how many of them it measures.
  package struct Length: Sendable, Hashable {
    package var epochs: UInt32
    package var evaluationInterval: UInt32

    package init(epochs: UInt32, evaluationInterval: UInt32) {
      self.epochs = epochs
      self.evaluationInterval = evaluationInterval
    }

    /// Three epochs, each measured.
    package static let standard = Length(epochs: 3, evaluationInterval: 1)
  }

  package let kind: Kind
  /// How old rows may be.
  package let consistency: Consistency
  package let length: Length
  let dataset: Dataset
  let model: TrainingModel
  let optimizer: OptimizerConfiguration
  private let rounds: Int

  static let seed: UInt64 = 7
  static let shardCount = 3
  /// Silence after which a process counts as lost, seconds.
  static let nodeTimeout = 5.0
  private static let batchSize = 12

  package init(
    _ kind: Kind, consistency: Consistency = .bulkSynchronous, length: Length = .standard
  ) throws {
    self.kind = kind
    self.consistency = consistency
    self.length = length
    dataset = try Self.makeDataset()
    rounds = kind == .mrdib ? 2 : 1
    var settings = SettingStore()
    settings[CommonSettings.embeddingSize] = 4
    settings[CommonSettings.regularization] = 0.1
    settings[CommonSettings.graphMode] = kind == .sampled ? .sampled : .full
    settings[CommonSettings.fanOuts] = [2]
    model = try ModelRegistry.make(
      kind.model,
      input: ModelInput(dataset, graphs: GraphStore(dataset: dataset, cacheFolder: nil)),
      settings: settings, objective: kind == .mrdib ? SettingValues() : nil, seed: Self.seed)
    // The optimizer with most state per row.
    optimizer = OptimizerConfiguration(
      Adam(mode: .lazyExact), model: LearningRate(0.01, decay: 0.9, period: 1),
      discriminator: LearningRate(0.01))
  }

  private static func makeDataset() throws -> Dataset {
    let random = CounterRandom(seed: seed, stream: .generator)
    let users = 9
    let items = 11
    var splits: [[(user: Int32, item: Int32)]] = [[], [], []]
    for user in 0..<users {
      var taken: Set<Int32> = []
      for split in [0, 0, 0, 0, 1, 2] {
        var item: Int32
        var attempt = 0
        repeat {
          item = Int32(random.integer(below: items, id: user, index: taken.count * 64 + attempt))
          attempt += 1
        } while taken.contains(item)
        taken.insert(item)
        splits[split].append((Int32(user), item))
      }
    }
    let features = try [("visual", 5), ("text", 3)].map { name, width in
      let matrix = Matrix(rows: items, columns: width)
      for index in 0..<matrix.count {
        matrix.pointer[index] = random.uniform(id: 1000 + width, index: index) - 0.5
      }
      return try FeatureMatrix(name: name, matrix: matrix)
    }
    return try Dataset(
      name: "simulated",
      interactions: Interactions(train: splits[0], valid: splits[1], test: splits[2]),
      features: features)
  }

  var stepsPerEpoch: Int { (dataset.trainUsers.count + Self.batchSize - 1) / Self.batchSize }

  var schedule: StepSchedule {
    StepSchedule(stepsPerEpoch: stepsPerEpoch, roundsPerStep: rounds)
  }

  private static let blockSize = 4
  private static let cutoffs = [3]

  private var blocks: EvaluationBlocks {
    EvaluationBlocks(
      model: model, userCount: dataset.userCount, materializeBlockSize: Self.blockSize,
      rankBlockSize: Self.blockSize)
  }

  func engine(serverCount: Int) -> WorkerEngine {
    WorkerEngine(
      dataset: dataset, model: model, serverCount: serverCount,
      setting: WorkerEngine.Setting(
        seed: Self.seed, shardCount: Self.shardCount, roundsPerStep: rounds,
        batchSize: Self.batchSize, topK: Self.cutoffs, metrics: Metric.all,
        measuresGroups: true, rankBlockSize: Self.blockSize,
        materializeBlockSize: Self.blockSize, consistency: consistency))
  }

  /// - Parameter copies: on how many servers' disks the rows of each are.
  func plan(_ shape: ClusterShape, term: UInt64, copies: UInt32) -> RunPlan {
    RunPlan(
      runID: "simulated", term: term, configuration: kind.rawValue,
      tables: model.tables.map { TableDescription($0) }, seed: Self.seed,
      shardCount: UInt32(Self.shardCount), workerCount: UInt32(shape.workers),
      serverCount: UInt32(shape.servers), stepsPerEpoch: UInt32(stepsPerEpoch),
      roundsPerStep: UInt32(rounds), epochs: length.epochs,
      evaluationInterval: length.evaluationInterval,
      materializeBlockCount: UInt32(blocks.materializeCount),
      materializeRoundCount: UInt32(blocks.materializeRoundCount),
      rankBlockCount: UInt32(blocks.rankCount),
      exposure: ExposurePlan(
        metrics: Metric.all, cutoffs: Self.cutoffs, itemCount: dataset.itemCount,
        usersPerBlock: Self.blockSize),
      selection: SelectionRule(metric: "valid.recall@3", patience: 100),
      isExact: consistency.isExact,
      checkpoints: CheckpointPlan(
        folder: "checkpoints", interval: 2 * UInt64(rounds), copies: copies),
      timing: CoordinationTiming(
        heartbeatInterval: 0.5, heartbeatTimeout: Self.nodeTimeout, startupTimeout: 900))
  }

  /// The tables of a generation: initial values, or the rows of a checkpoint.
  func state<Peer>(
    _ welcome: Welcome, restoring snapshots: [ServerSnapshot]?
  ) throws -> ServerState<Peer> {
    guard let snapshots else {
      return try ServerState(
        rank: Int(welcome.rank), serverCount: Int(welcome.serverCount), runID: welcome.runID,
        generation: welcome.generation, tables: model.tables, seed: welcome.seed,
        shardCount: Int(welcome.shardCount), schedule: schedule, optimizer: optimizer,
        consistency: consistency)
    }
    return try ServerState(
      rank: Int(welcome.rank), serverCount: Int(welcome.serverCount), runID: welcome.runID,
      generation: welcome.generation, tables: model.tables, seed: welcome.seed,
      shardCount: Int(welcome.shardCount), schedule: schedule, optimizer: optimizer,
      consistency: consistency,
      restoring: SnapshotSource(snapshots: snapshots, optimizer: optimizer.description))
  }
}
