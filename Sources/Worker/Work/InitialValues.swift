import Datasets
import Protocol
import Recommenders
import Tables
import Tensors

/// The initial values that depend on data (trainable copies of features, scales of vectors), in
/// blocks for the servers. The owner of shard 0 pushes them before the first step; servers answer
/// no pull until they have all of them.
struct InitialValues {
  /// Approximate size of a block in bytes.
  private static let blockByteCount = 8 << 20

  private let engine: WorkerEngine
  private let generation: UInt64
  private var blocks: [(table: Int, rows: Range<Int>)]

  init(engine: WorkerEngine, generation: UInt64, shards: [Int]) {
    self.engine = engine
    self.generation = generation
    blocks = []
    guard shards.contains(0) else { return }
    for (table, spec) in engine.model.tables.enumerated() where spec.initializer == .pushed {
      let size = max(1, Self.blockByteCount / (spec.width * MemoryLayout<Float>.stride))
      for start in stride(from: 0, to: spec.rows, by: size) {
        blocks.append((table, start..<min(start + size, spec.rows)))
      }
    }
    // Blocks are taken from the end.
    blocks.reverse()
  }

  mutating func next() throws -> [ServerRequest<PushRequest>]? {
    guard let block = blocks.popLast() else { return nil }
    return try engine.pushes(
      of: engine.model.initialValues(
        table: block.table, rows: block.rows, seed: engine.setting.seed,
        itemCount: engine.dataset.itemCount),
      rows: .listed(block.rows.map(Int32.init)), table: block.table,
      name: ContributionName(
        generation: generation, version: 0, shard: UInt32(blocks.count)))
  }
}
