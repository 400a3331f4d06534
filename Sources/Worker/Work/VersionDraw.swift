import Datasets
import Recommenders
import Tables

/// What one shard of a step is computed on: its batch, and the rows that it depends on. A function
/// of (seed, epoch, step, shard) and the data, so that it can be drawn at any time.
struct ShardDraw {
  let context: StepContext
  let batch: TripletBatch
  /// The sampled part of the graphs that the batch depends on; nil for models that do not sample.
  let neighbourhood: Neighbourhood?
  /// The rows of each table.
  let selections: [RowSelection]

  init(engine: WorkerEngine, context: StepContext) {
    self.context = context
    batch = engine.sampler.batch(
      epoch: context.epoch, step: context.step, shard: context.shard,
      shardCount: engine.setting.shardCount)
    neighbourhood = engine.model.neighbourhood(of: batch, context: context)
    selections = engine.model.rows(for: batch, in: neighbourhood)
  }
}

/// The shards of a task at one version, and the pull of their rows.
struct VersionDraw {
  let version: UInt64
  let shards: [ShardDraw]
  /// The rows that any shard needs, of each table.
  let union: [RowSelection]
  let plan: PullPlan

  /// - Parameters:
  ///   - acceptable: the versions of rows that are accepted; nil: only `version`.
  ///   - contexts: of the shards; none for the version after an epoch.
  init(
    engine: WorkerEngine, version: UInt64, acceptable: ClosedRange<UInt64>?,
    contexts: [StepContext]
  ) {
    self.version = version
    let shards = contexts.map { ShardDraw(engine: engine, context: $0) }
    self.shards = shards
    union = engine.model.tables.indices.map { table in
      .union(shards.map { $0.selections[table] })
    }
    plan = PullPlan(union, version: version, acceptable: acceptable, routing: engine.routing)
  }
}
