internal import Messages
internal import Models
internal import Tables
internal import Tensors

/// Computes blocks of the final vectors and writes them to their table on the servers, so that
/// they are computed once however many workers rank with them.
final class MaterializeWork: Work {
  private let engine: WorkerEngine
  private let version: UInt64
  private let blocks: [(index: UInt32, side: Side, range: Range<Int>)]
  private var next = 0
  private var plan: PullPlan?

  init(engine: WorkerEngine, version: UInt64, blocks: [UInt32]) throws {
    self.engine = engine
    self.version = version
    let all = engine.blocks
    self.blocks = try blocks.map { block in
      guard let final = all.final(block) else {
        throw TrainingError(
          "Cannot compute final vectors of block \(block): there are \(all.materializeCount).")
      }
      return (block, final.side, final.range)
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
      throw TrainingError("Totals came that were not asked for.")
    }
  }

  private func pullNext() -> WorkOutput {
    guard next < blocks.count else { return .done([]) }
    let selections = engine.model.rowsForFinal(blocks[next].side, range: blocks[next].range)
    let plan = PullPlan(selections, version: version, routing: engine.routing)
    self.plan = plan
    return .pull(plan.requests(generation: engine.setting.generation))
  }

  private func compute(_ replies: [PullReply]) throws -> [Addressed<PushRequest>] {
    guard let plan else { throw TrainingError("Rows came that were not asked for.") }
    let block = blocks[next]
    let empty = Matrix(rows: 0, columns: 0)
    let rows = try plan.assemble(replies) { Matrix(rows: $0, columns: $1) }
    let vectors = engine.model.backbone.finalVectors(
      block.side, range: block.range, parameters: rows.map { $0 ?? empty })
    let table = engine.model.finalTable(block.side)
    guard
      let routed = engine.routing.route(.listed(block.range.map(Int32.init)), table: table)
    else { return [] }
    return PushPlan(parts: [.init(table: table, rows: routed, values: vectors)])
      .requests(
        name: ContributionName(
          generation: engine.setting.generation, version: version, shard: block.index),
        kind: .assign, serverCount: engine.routing.serverCount
      )
      .filter { !$0.body.sections.isEmpty }
  }
}
