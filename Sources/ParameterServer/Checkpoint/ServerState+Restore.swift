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
    // Not the table itself: with a second reference to its rows, every row would be copied.
    let shape = TableShape(tables[table].spec, tables[table].layout)
    let directory = tables[table].directory
    let mostUpdates = mostUpdates(of: tables[table].spec.rule)
    var isRestored = [Bool](repeating: false, count: directory.count)
    var count = 0
    let index = { (row: UInt32) -> Int? in
      row < directory.tableRows ? directory.localIndex(ofRow: row).map(Int.init) : nil
    }
    try source.readRows(of: shape, where: { index($0) != nil }) { rows in
      var block = TableStore.WritableBlock()
      for (position, row) in rows.ids.enumerated() {
        guard let index = index(row) else { continue }
        guard !isRestored[index] else { throw damaged(table, "has row \(row) twice") }
        if let updates = rows.lastUpdates?[position], updates > mostUpdates {
          throw damaged(
            table, "has row \(row) at update \(updates), but there were only \(mostUpdates)")
        }
        isRestored[index] = true
        count += 1
        tables[table].restore(rows, at: position, toRowAt: index, in: &block)
      }
    }
    guard count == directory.count else {
      throw damaged(
        table, "lacks \(directory.count - count) of the \(directory.count) rows of server \(rank)")
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

  private func damaged(_ table: Int, _ problem: String) -> ParameterServerError {
    ParameterServerError(
      .checkpoint,
      """
      The checkpoint of version \(version) cannot be restored: table '\(tables[table].spec.name)' \
      \(problem); use another checkpoint.
      """)
  }
}

extension TableStore {
  /// Replaces a row with its states and update number.
  mutating func restore(
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
