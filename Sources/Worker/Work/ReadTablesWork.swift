import Protocol
import Recommenders
import Tables
import Tensors

/// Reads whole tables from the servers in row order, a bounded number of rows at a time. Used to
/// save the best model.
package final class ReadTablesWork: Work {
  /// Receives neighbouring rows of a table, `[rows, width]`, beginning with row `first`.
  package typealias Sink = (_ table: Int, _ first: Int, _ rows: Matrix) throws -> Void

  private let routing: TableRouting
  private let generation: UInt64
  private let version: UInt64
  private let chunks: [(table: Int, rows: Range<Int>)]
  private let sink: Sink
  private var next = 0
  private var plan: PullPlan?

  /// - Parameters:
  ///   - tables: indices into the routing's tables.
  ///   - chunkByteCount: bytes of values per pull; at least one row is pulled.
  package init(
    routing: TableRouting, tables: [Int], version: UInt64, generation: UInt64,
    chunkByteCount: Int = 8 << 20, sink: @escaping Sink
  ) {
    self.routing = routing
    self.generation = generation
    self.version = version
    self.sink = sink
    chunks = tables.flatMap { table in
      let spec = routing.tables[table]
      let size = max(1, chunkByteCount / (spec.width * MemoryLayout<Float>.stride))
      return stride(from: 0, to: spec.rows, by: size).map {
        (table, $0..<min($0 + size, spec.rows))
      }
    }
  }

  package var progress: UInt64 { UInt64(next) }

  package func advance(_ input: WorkInput) throws -> WorkOutput {
    if case .versionSuperseded(let present) = input {
      throw TrainingError(version, isGone: present)
    }
    if case .pulled(let replies) = input, let plan {
      let chunk = chunks[next]
      let rows = try plan.assemble(replies) { Matrix(rows: $0, columns: $1) }
      if let matrix = rows[chunk.table] { try sink(chunk.table, chunk.rows.lowerBound, matrix) }
      next += 1
    }
    guard next < chunks.count else { return .done([]) }
    var selections = [RowSelection](repeating: .none, count: routing.tables.count)
    selections[chunks[next].table] = .listed(chunks[next].rows.map(Int32.init))
    let plan = PullPlan(selections, version: version, routing: routing)
    self.plan = plan
    return .pull(plan.requests(generation: generation))
  }
}
