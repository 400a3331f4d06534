import Protocol
import Tables

/// A checkpoint of a run on data that has grown since, as one server would write it: rows that the
/// earlier checkpoint has, and initial values of those that are new.
///
/// The tables are those of the beginning of an epoch in the schedule of the grown data, which has
/// more steps per epoch. Known rows get the steps that they have missed, in the earlier schedule,
/// so that what they are does not depend on when they were last used; from then on the steps count
/// as those of the new schedule.
package struct GrownTables {
  /// What the tables were before.
  package struct Earlier {
    let source: any CheckpointSource
    let schedule: StepSchedule
    let rows: [String: Int]

    /// - Parameters:
    ///   - source: the checkpoint.
    ///   - schedule: its run's schedule.
    ///   - rows: of each table, by its name.
    package init(_ source: any CheckpointSource, schedule: StepSchedule, rows: [String: Int]) {
      self.source = source
      self.schedule = schedule
      self.rows = rows
    }
  }

  /// Writes the initial values of a row of a table that has `pushed` ones.
  package typealias InitialValues =
    (_ table: Int, _ row: Int, _ values: UnsafeMutableBufferPointer<Float>) -> Void

  private let rank: Int
  private let map: SlotMap
  private let shardCount: Int
  private let schedule: StepSchedule
  private let version: UInt64
  private let description: OptimizerDescription
  private var tables: [TableStore]

  /// - Parameters:
  ///   - rank: the server's, of `serverCount`.
  ///   - specs: the tables on the grown data.
  ///   - schedule: on the grown data.
  ///   - version: that the checkpoint gets, the first of an epoch of `schedule`.
  /// - Throws: ``ParameterServerError`` if another optimizer wrote the checkpoint, or if it is
  ///   damaged (`checkpoint`), or if the rows need more memory than the limit (`limit`); errors of
  ///   the source.
  package init(
    rank: Int, serverCount: Int, tables specs: [TableSpec], seed: UInt64, shardCount: Int,
    optimizer: OptimizerConfiguration, schedule: StepSchedule, version: UInt64,
    after earlier: Earlier, limits: ServerLimits = ServerLimits(), initialValues: InitialValues
  ) throws {
    self.rank = rank
    self.shardCount = shardCount
    self.schedule = schedule
    self.version = version
    description = optimizer.description
    guard earlier.source.optimizer == description else {
      throw ParameterServerError(
        .checkpoint,
        """
        The checkpoint of version \(earlier.source.version) cannot be continued: it was written \
        with the optimizer \(earlier.source.optimizer.summary), and this run trains with \
        \(description.summary).
        """)
    }
    map = SlotMap(serverCount: serverCount)
    let clock = try Optimizer(
      optimizer, schedule: earlier.schedule, atVersion: earlier.source.version)
    tables = try TableStore.make(
      specs, rank: rank, map: map, layout: clock.layout(of:), seed: seed, isInitialized: true,
      byteLimit: limits.tableBytes)
    for table in tables.indices {
      try fill(table, from: earlier, by: clock, initialValues)
    }
  }

  private mutating func fill(
    _ table: Int, from earlier: Earlier, by clock: Optimizer, _ initialValues: InitialValues
  ) throws {
    let (spec, directory) = (tables[table].spec, tables[table].directory)
    let known = earlier.rows[spec.name] ?? 0
    func damaged(_ problem: String) -> ParameterServerError {
      ParameterServerError(
        .checkpoint,
        """
        The checkpoint of version \(earlier.source.version) cannot be continued: table \
        '\(spec.name)' \(problem); use another checkpoint.
        """)
    }
    var isRestored: [Bool] = []
    if known > 0 {
      let settling = settling(of: tables[table], by: clock)
      isRestored = try tables[table].restore(
        from: earlier.source, rowCount: known, mostUpdates: settling.mostUpdates,
        damaged: damaged, settling.apply)
    }
    var block = TableStore.WritableBlock()
    try directory.forEachRow { index, row in
      guard row >= known else {
        guard isRestored[index] else { throw damaged("lacks row \(row)") }
        return
      }
      guard spec.initializer == .pushed else { return }
      let values = tables[table].writableRow(at: index, in: &block).values
      initialValues(table, row, UnsafeMutableBufferPointer(start: values, count: spec.width))
    }
  }

  private func settling(of store: TableStore, by clock: Optimizer) -> Settling {
    let spec = store.spec
    switch spec.rule {
    case .optimizer(let group):
      let count = schedule.updateCount(of: group, beforeVersion: version)
      return Settling(
        layout: store.layout, steps: clock.catchUp(of: spec.rule),
        mostUpdates: UInt32(clock.stepCount(of: group)), newCount: UInt32(count),
        rounded: store.layout.isRounded
          ? (
            WideRow(store.layout), StateRounding(seed: store.seed, table: spec, step: count)
          ) : nil)
    // A flag: whether there was an update.
    case .movingAverage:
      return Settling(layout: store.layout, steps: nil, mostUpdates: 1, newCount: 1, rounded: nil)
    case .assigned:
      return Settling(layout: store.layout, steps: nil, mostUpdates: 0, newCount: 0, rounded: nil)
    }
  }

  /// What the server would write. It has no sums of an epoch yet.
  package func snapshot(runID: String, generation: UInt64) -> ServerSnapshot {
    ServerSnapshot(
      runID: runID, generation: generation, version: version, rank: rank,
      serverCount: map.serverCount, optimizer: description,
      epochSums: rank == 0 ? EpochSums(shardCount: shardCount).all : [],
      tables: tables.map(TableSnapshot.init))
  }
}

/// Applies the steps that restored rows of a table have missed.
private struct Settling {
  let layout: RowLayout
  /// All steps of the earlier schedule; nil if rows miss none.
  let steps: (any OptimizerSteps)?
  /// How many updates a row can have had.
  let mostUpdates: UInt32
  /// The number that the last of them gets.
  let newCount: UInt32
  /// Where rows are computed whose states are rounded, and how; nil if they are not.
  let rounded: (row: WideRow, by: StateRounding)?

  func apply(to row: TableStore.WritableRow, id: Int) {
    // A row that was never updated has no states that steps without a gradient could change.
    guard let lastUpdate = row.lastUpdate, lastUpdate.pointee > 0 else { return }
    let done = Int(lastUpdate.pointee)
    lastUpdate.pointee = newCount
    guard let steps, done < steps.count else { return }
    guard let rounded else {
      return steps.catchUp(row.values, width: layout.width, from: done)
    }
    rounded.row.load(row.values)
    steps.catchUp(rounded.row.values, width: layout.width, from: done)
    rounded.row.store(to: row.values, row: id, by: rounded.by)
  }
}
