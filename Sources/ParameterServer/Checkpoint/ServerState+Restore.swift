import Protocol
import Tables

extension ServerState {
  /// A server at the version of a checkpoint, with its rows read from the files of any servers.
  ///
  /// Parameters are those of a server at version 0. Generation and number of servers may differ
  /// from the checkpoint's; everything else must be as when the checkpoint was written.
  ///
  /// - Throws: ``ParameterServerError`` as for a server at version 0, and with code `checkpoint` if
  ///   another optimizer wrote it, a row is missing, occurs twice, or was updated more often than
  ///   the version allows, or if the run has another number of shards; and the errors of `source`.
  package init(
    rank: Int, serverCount: Int, runID: String, generation: UInt64, tables: [TableSpec],
    seed: UInt64, shardCount: Int, schedule: StepSchedule, optimizer: OptimizerConfiguration,
    consistency: Consistency = .bulkSynchronous, limits: ServerLimits = ServerLimits(),
    restoring source: some CheckpointSource
  ) throws {
    try self.init(
      rank: rank, serverCount: serverCount, runID: runID, generation: generation, tables: tables,
      seed: seed, shardCount: shardCount, schedule: schedule, optimizer: optimizer,
      consistency: consistency, limits: limits, isInitialized: false)
    guard source.optimizer == optimizer.description else {
      throw ParameterServerError(
        .checkpoint,
        """
        The checkpoint of version \(source.version) cannot be restored: it was written with the \
        optimizer \(source.optimizer.summary), and this run trains with \
        \(optimizer.description.summary). Resume with the settings that the run began with, or \
        begin a new run.
        """)
    }
    missingInitialValues = MissingInitialValues()
    self.optimizer = try Optimizer(optimizer, schedule: schedule, atVersion: source.version)
    version = source.version
    for table in self.tables.indices { try restore(table, from: source) }
    if rank == 0 { epochSums = try EpochSums(source.epochSums, shardCount: shardCount) }
  }

  private mutating func restore(_ table: Int, from source: some CheckpointSource) throws {
    let (name, version) = (tables[table].spec.name, version)
    func damaged(_ problem: String) -> ParameterServerError {
      ParameterServerError(
        .checkpoint,
        """
        The checkpoint of version \(version) cannot be restored: table '\(name)' \(problem); use \
        another checkpoint.
        """)
    }
    let isRestored = try tables[table].restore(
      from: source, rowCount: tables[table].spec.rows,
      mostUpdates: mostUpdates(of: tables[table].spec.rule), damaged: damaged)
    let missing = isRestored.count { !$0 }
    guard missing == 0 else {
      throw damaged("lacks \(missing) of the \(isRestored.count) rows of server \(rank)")
    }
  }

  private func mostUpdates(of rule: UpdateRule) -> UInt32 {
    switch rule {
    case .optimizer(let group):
      UInt32(optimizer.schedule.updateCount(of: group, beforeVersion: version))
    // A flag: whether there was an update.
    case .movingAverage: version > 0 ? 1 : 0
    case .assigned: 0
    }
  }
}

extension TableStore {
  /// Replaces rows by those that a checkpoint has of them.
  ///
  /// Called on the table where it is kept: with a second reference to its rows, every one would be
  /// copied.
  ///
  /// - Parameters:
  ///   - rowCount: of the table in the checkpoint; further rows are not looked for.
  ///   - mostUpdates: how many updates a row can have had.
  ///   - damaged: the error for a problem of the checkpoint's table.
  ///   - body: called with each replaced row and its id.
  /// - Returns: which rows were replaced, by local index.
  mutating func restore(
    from source: any CheckpointSource, rowCount: Int, mostUpdates: UInt32,
    damaged: (_ problem: String) -> ParameterServerError,
    _ body: (_ row: WritableRow, _ id: Int) -> Void = { _, _ in }
  ) throws -> [Bool] {
    let directory = directory
    var isRestored = [Bool](repeating: false, count: directory.count)
    let index = { (row: UInt32) -> Int? in
      row < rowCount ? directory.localIndex(ofRow: row).map(Int.init) : nil
    }
    try source.readRows(
      of: TableShape(name: spec.name, rows: rowCount, layout: layout),
      where: { index($0) != nil }
    ) { rows in
      var block = WritableBlock()
      for (position, row) in rows.ids.enumerated() {
        guard let index = index(row) else { continue }
        guard !isRestored[index] else { throw damaged("has row \(row) twice") }
        if let updates = rows.lastUpdates?[position], updates > mostUpdates {
          throw damaged(
            "has row \(row) at update \(updates), but there were only \(mostUpdates)")
        }
        isRestored[index] = true
        restore(rows, at: position, toRowAt: index, in: &block)
        body(writableRow(at: index, in: &block), Int(row))
      }
    }
    return isRestored
  }

  /// Replaces a row with its states and update number.
  private mutating func restore(
    _ rows: StoredRows, at position: Int, toRowAt index: Int, in block: inout WritableBlock
  ) {
    let row = writableRow(at: index, in: &block)
    for (part, values) in zip(layout.parts, rows.parts) {
      (UnsafeMutableRawPointer(row.values) + part.offset).copyMemory(
        from: values + position * part.byteCount, byteCount: part.byteCount)
    }
    if let lastUpdates = rows.lastUpdates { row.lastUpdate?.pointee = lastUpdates[position] }
  }
}
