import Messages
import Tables

extension ServerState {
  /// Replaces rows: of tables with the rule `assigned` at any version, and, once per row, of
  /// tables whose initial values are pushed, at version 0.
  ///
  /// The values of one name are the same whoever computes them, so a later sender of the same
  /// initial values changes nothing, even if the first ones have been read already.
  mutating func assign(
    _ push: PushRequest, id: UInt64, from peer: Peer
  ) throws(Refusal) -> [ServerAction<Peer>] {
    let rows = try SectionReader(tables: tables, rank: rank)
      .rows(push.sections, keys: push.keys, values: push.values)
    for section in rows {
      try checkTakesAssignment(tables[section.table].spec, at: push.name.version)
    }
    var isNew = false
    for section in rows where write(section, push.values) { isNew = true }
    guard isNew else { return [acknowledgeDuplicate(id, from: peer)] }
    return [acknowledge(push, id: id, from: peer)] + answerParkedPulls()
  }

  private func checkTakesAssignment(
    _ spec: TableSpec, at version: UInt64
  ) throws(Refusal) {
    guard spec.rule != .assigned && !(spec.initializer == .pushed && version == 0) else { return }
    throw Refusal(
      code: .malformed,
      message: """
        rows of table '\(spec.name)' cannot be assigned at version \(version): only tables that \
        are never updated by a step can, and at version 0 tables whose initial values are pushed
        """)
  }

  /// - Returns: whether a row was written.
  private mutating func write(_ section: SectionRows, _ values: Payload) -> Bool {
    let table = section.table
    let isAlwaysTaken = tables[table].spec.rule == .assigned
    let rowByteCount = tables[table].spec.width * MemoryLayout<Float>.stride
    var block = TableStore.WritableBlock()
    var isWritten = false
    values.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      let start = base + section.valueStart * MemoryLayout<Float>.stride
      section.rows.forEach { position, index in
        let wasMissing = missingInitialValues.fill(table: table, row: index)
        guard wasMissing || isAlwaysTaken else { return }
        tables[table].assign(start + position * rowByteCount, toRowAt: index, in: &block)
        isWritten = true
      }
    }
    return isWritten
  }

  /// The name of a table that still misses initial values, for messages.
  var missingTableName: String {
    missingInitialValues.firstTable.map { tables[$0].spec.name } ?? ""
  }
}
