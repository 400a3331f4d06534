import Protocol
import Recommenders
import Tables
import Tensors

/// Computes blocks of the final vectors and assigns them to their table on the servers, so that
/// they are computed once for all workers that rank.
final class MaterializeWork: Work {
  private let engine: WorkerEngine
  private let generation: UInt64
  private let version: UInt64
  private let blocks: [(index: UInt32, block: EvaluationBlocks.Final)]
  private var next = 0
  private var plan: PullPlan?
  /// The block under way, if it is one of a layer.
  private var layerBlock: LayerBlockWork?

  init(engine: WorkerEngine, generation: UInt64, version: UInt64, blocks: [UInt32]) throws {
    self.engine = engine
    self.generation = generation
    self.version = version
    let all = engine.blocks
    self.blocks = try blocks.map { block in
      guard let final = all.final(block) else {
        throw TrainingError(
          "Cannot compute final vectors of block \(block): there are \(all.materializeCount).")
      }
      return (block, final)
    }
  }

  var progress: UInt64 { UInt64(next) }

  func advance(_ input: WorkInput) throws -> WorkOutput {
    switch input {
    case .begin:
      return pullNext()
    case .pulled(let replies):
      return try compute(replies)
    case .sent:
      next += 1
      layerBlock = nil
      return pullNext()
    case .reduced:
      throw TrainingError("Received totals that were not requested.")
    case .versionSuperseded(let present):
      throw TrainingError(version, isGone: present)
    }
  }

  private func pullNext() -> WorkOutput {
    guard next < blocks.count else { return .done([]) }
    switch blocks[next].block {
    case .range(let final, let range):
      return pull(final.rows(range))
    case .whole(_, let rows):
      return pull(rows)
    case .layer(let final, let layer, let block):
      let work = LayerBlockWork(final, layer: layer, block, model: engine.model)
      layerBlock = work
      // The first part is the block's own rows, so there is one.
      return work.next().map(pull) ?? .done([])
    }
  }

  private func pull(_ rows: [RowSelection]) -> WorkOutput {
    let plan = PullPlan(engine.model.extended(rows), version: version, routing: engine.routing)
    self.plan = plan
    return .pull(plan.requests(generation: generation))
  }

  private func compute(_ replies: [PullReply]) throws -> WorkOutput {
    guard let plan else { throw TrainingError("Received rows that were not requested.") }
    let rows = try plan.assemble(replies) { Matrix(rows: $0, columns: $1) }
    switch blocks[next].block {
    case .range(let final, let range):
      let vectors = final.compute(range, rows.map { $0 ?? Matrix(rows: 0, columns: 0) })
      return .push(
        try pushes(of: vectors, rows: range, table: engine.model.finalTable(final.side)))
    case .whole(let final, _):
      return .push(
        try engine.pushes(
          ofFinal: final, parameters: rows, context: nil, generation: generation,
          version: version))
    case .layer(let final, let layer, let block):
      guard let layerBlock else { throw TrainingError("Received rows that were not requested.") }
      layerBlock.add(rows)
      if let more = layerBlock.next() { return pull(more) }
      return .push(
        try pushes(
          of: layerBlock.vectors, rows: block.rows,
          table: engine.model.layerTable(layer, of: final, block.side)))
    }
  }

  private func pushes(
    of vectors: Matrix, rows: Range<Int>, table: Int
  ) throws -> [ServerRequest<PushRequest>] {
    try engine.pushes(
      of: vectors, rows: .listed(rows.map(Int32.init)), table: table,
      name: ContributionName(
        generation: generation, version: version, shard: blocks[next].index))
  }
}
