import Datasets
import ParameterServer
import Protocol
import Recommenders
import Tables
import Tensors
import Worker

/// A small run with everything that a worker does: tables that are pulled whole and rows
/// that are listed, initial values that depend on data, reductions, steps of two rounds, and final
/// vectors that the last step writes.
struct SmallRun {
  static let shardCount = 3
  static let roundsPerStep = 2
  static let batchSize = 10
  static let seed: UInt64 = 5

  let dataset: Dataset
  let model: TrainingModel
  let consistency: Consistency

  init(isStale: Bool = true, consistency: Consistency = .bulkSynchronous) throws {
    self.consistency = consistency
    let train = (0..<9 as Range<Int32>).flatMap { user in
      (0..<4 as Range<Int32>).map { (user: user, item: (user * 3 + $0 * $0 + $0) % 8) }
    }
    dataset = try Dataset(name: "small", interactions: Interactions(train: Self.distinct(train)))
    model = TrainingModel(
      backbone: SmallBackbone(
        userCount: dataset.userCount, itemCount: dataset.itemCount, isStale: isStale),
      objective: nil, userCount: dataset.userCount, itemCount: dataset.itemCount)
  }

  private static func distinct(
    _ pairs: [(user: Int32, item: Int32)]
  ) -> [(user: Int32, item: Int32)] {
    var seen: Set<[Int32]> = []
    return pairs.filter { seen.insert([$0.user, $0.item]).inserted }
  }

  var schedule: StepSchedule {
    StepSchedule(
      stepsPerEpoch: (dataset.trainUsers.count + Self.batchSize - 1) / Self.batchSize,
      roundsPerStep: Self.roundsPerStep)
  }

  var versionsPerEpoch: UInt64 { schedule.versionsPerEpoch }

  func engine(serverCount: Int) -> WorkerEngine {
    WorkerEngine(
      dataset: dataset, model: model, serverCount: serverCount,
      setting: WorkerEngine.Setting(
        seed: Self.seed, shardCount: Self.shardCount, roundsPerStep: Self.roundsPerStep,
        batchSize: Self.batchSize, topK: [5], rankBlockSize: 4, materializeBlockSize: 4,
        consistency: consistency))
  }

  func task(
    _ id: UInt64 = 1, generation: UInt64 = 1, epoch: UInt32 = 0, from start: UInt64,
    shards: [UInt32]
  ) -> WorkerTask {
    WorkerTask(
      id: id, generation: generation,
      body: .train(
        epoch: epoch, firstVersion: UInt64(epoch) * versionsPerEpoch, startVersion: start,
        shards: shards))
  }
}

/// Matrix factorisation with unusual features: users have pushed initial values, are propagated (as
/// the identity), and the ranking uses vectors of the last step.
private struct SmallBackbone: Backbone {
  private static let width = 3
  let tables: [TableSpec]
  private let base: BPR
  private let isStale: Bool

  init(userCount: Int, itemCount: Int, isStale: Bool) {
    self.isStale = isStale
    base = BPR(
      userCount: userCount, itemCount: itemCount, embeddingSize: Self.width, regularization: 0.1)
    tables = [
      TableSpec(
        name: "user", rows: userCount, width: Self.width, initializer: .pushed, rowsPerBlock: 1),
      TableSpec(
        name: "item", rows: itemCount, width: Self.width,
        initializer: .normal(standardDeviation: 0.3), rowsPerBlock: 1),
    ]
  }

  func rows(for batch: TripletBatch) -> [RowSelection] { [.all, .listed(batch.distinctItems)] }

  func propagate(on tape: Tape, parameters: [Variable], context: StepContext) -> [Variable] {
    [tape.rows(parameters[0], 0..<tables[0].rows)]
  }

  func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let users = tape.gather(input.propagated[0], input.batch.distinctUsers)
    return base.loss(
      on: tape,
      BatchInput(
        batch: input.batch, parameters: [users, input.parameters[1]], propagated: [],
        context: input.context), content: content, items: items, likelihood: likelihood)
  }

  var final: FinalVectors {
    let itemCount = tables[1].rows
    return .whole(
      WholeFinalVectors(width: Self.width, tables: [0], isStale: isStale) { parameters, context in
        let items = Matrix(rows: itemCount, columns: Self.width)
        items.fill(Float(context?.step ?? -1))
        let users = Matrix(rows: parameters[0].rows, columns: Self.width)
        users.copy(from: parameters[0])
        return (users, items)
      })
  }

  func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    Matrix(
      rows: rows.count, columns: Self.width,
      elements: rows.flatMap { row in
        (0..<Self.width).map { Float((row * 7 + $0 * 3) % 11) / 11 - 0.4 }
      })
  }
}
