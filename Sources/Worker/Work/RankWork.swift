import Datasets
import Protocol
import Recommenders
import Tables
import Tensors

/// Ranks all items for blocks of users. Reports the sums of the metrics and, if a metric needs it,
/// how often each item was recommended.
///
/// The final item matrix is pulled once per task, in parts that fit into a message; user vectors
/// are pulled block by block. Every block is a unit of its own in the report, so that totals do not
/// depend on the assignment of blocks to workers.
final class RankWork: Work {
  /// Approximate size of item vectors in one pull, in bytes.
  private static let itemChunkByteCount = 16 << 20

  private let engine: WorkerEngine
  private let generation: UInt64
  private let version: UInt64
  private let blocks: [(index: UInt32, users: Range<Int>)]
  private let ranking: FullRanking
  private let popularity: ItemPopularity?
  private var next = 0
  private var plan: PullPlan?
  private let items: RankedItems
  /// Fills the matrix of items; nil when that is done.
  private var itemReading: ReadTablesWork?
  private var reports: [UnitReport] = []

  init(engine: WorkerEngine, generation: UInt64, version: UInt64, blocks: [UInt32]) throws {
    self.engine = engine
    self.generation = generation
    self.version = version
    ranking = FullRanking(cutoffs: engine.setting.topK, metrics: engine.setting.metrics)
    popularity = ranking.popularity(engine.dataset.train)
    let all = engine.blocks
    self.blocks = try blocks.map { block in
      guard let users = all.users(block) else {
        throw TrainingError("Cannot rank users of block \(block): there are \(all.rankCount).")
      }
      return (block, users)
    }
    let table = engine.model.finalTable(.item)
    let spec = engine.routing.tables[table]
    let matrix = Matrix(rows: spec.rows, columns: spec.width)
    items = RankedItems(matrix, splits: engine.evaluationSplits)
    bufferByteCount = matrix.count * MemoryLayout<Float>.stride
    itemReading = ReadTablesWork(
      routing: engine.routing, tables: [table], version: version,
      generation: generation, chunkByteCount: Self.itemChunkByteCount
    ) { _, first, rows in
      (matrix.pointer + first * rows.columns).update(from: rows.pointer, count: rows.count)
    }
  }

  /// Those of the items.
  let bufferByteCount: Int

  var progress: UInt64 { UInt64(next) }

  func advance(_ input: WorkInput) throws -> WorkOutput {
    if let itemReading {
      let output = try itemReading.advance(input)
      guard case .done = output else { return output }
      self.itemReading = nil
      return pullNextUsers()
    }
    switch input {
    case .pulled(let replies):
      guard let plan else { throw TrainingError("Received rows that were not requested.") }
      let rows = try plan.assemble(replies) { Matrix(rows: $0, columns: $1) }
      try rank(rows[engine.model.finalTable(.user)])
      next += 1
      return pullNextUsers()
    case .versionSuperseded(let present):
      throw TrainingError(version, isGone: present)
    case .begin, .reduced, .sent:
      throw TrainingError("Received a reply that was not requested.")
    }
  }

  private func pullNextUsers() -> WorkOutput {
    guard next < blocks.count else { return .done(reports) }
    var selections = [RowSelection](repeating: .none, count: engine.model.tables.count)
    let positions = blocks[next].users
    selections[engine.model.finalTable(.user)] = .listed(
      engine.sample.map { Array($0.users[positions]) } ?? positions.map(Int32.init))
    let plan = PullPlan(selections, version: version, routing: engine.routing)
    self.plan = plan
    return .pull(plan.requests(generation: generation))
  }

  private func rank(_ users: Matrix?) throws {
    guard let users else { throw TrainingError("The reply has no final user vectors.") }
    let positions = blocks[next].users
    let sums = try ranking.evaluate(
      userMatrix: users,
      users: engine.sample.map { .listed($0.users[positions]) }
        ?? .consecutive(from: positions.lowerBound),
      among: items, trainMask: engine.dataset.train, popularity: popularity)
    var keyed: [String: Double] = [:]
    var counts: [String: ItemCounts] = [:]
    for split in sums {
      keyed.merge(split.keyed) { _, new in new }
      counts.merge(split.keyedExposures.mapValues { ItemCounts($0.nonzero) }) { _, new in new }
    }
    reports.append(UnitReport(unit: blocks[next].index, sums: keyed, counts: counts))
  }
}
