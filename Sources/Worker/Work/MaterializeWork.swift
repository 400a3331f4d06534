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
      return .push(try compute(replies))
    case .sent:
      next += 1
      return pullNext()
    case .reduced:
      throw TrainingError("Received totals that were not requested.")
    case .versionSuperseded(let present):
      throw TrainingError(version, isGone: present)
    }
  }

  private func pullNext() -> WorkOutput {
    guard next < blocks.count else { return .done([]) }
    let plan = PullPlan(
      engine.model.extended(blocks[next].block.rows), version: version, routing: engine.routing)
    self.plan = plan
    return .pull(plan.requests(generation: generation))
  }

  private func compute(_ replies: [PullReply]) throws -> [ServerRequest<PushRequest>] {
    guard let plan else { throw TrainingError("Received rows that were not requested.") }
    let rows = try plan.assemble(replies) { Matrix(rows: $0, columns: $1) }
    switch blocks[next].block {
    case .range(let final, let range):
      let vectors = final.compute(range, rows.map { $0 ?? Matrix(rows: 0, columns: 0) })
      return try engine.pushes(
        of: vectors, rows: .listed(range.map(Int32.init)),
        table: engine.model.finalTable(final.side),
        name: ContributionName(
          generation: generation, version: version, shard: blocks[next].index))
    case .whole(let final, _):
      return try engine.pushes(
        ofFinal: final, parameters: rows, context: nil, generation: generation,
        version: version)
    }
  }
}
