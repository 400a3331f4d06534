import Protocol
import Tables

extension ServerState {
  /// Replaces rows: of tables with the rule `assigned` at any version, and of tables whose initial
  /// values are pushed once per row, at version 0.
  ///
  /// Every worker computes the same values under one name, so repeated initial values are ignored.
  mutating func assign(
    _ push: PushRequest, id: UInt64, from peer: Peer
  ) throws(Refusal) -> [ServerReply<Peer>] {
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
        rows of table '\(spec.name)' cannot be assigned at version \(version): only tables with \
        the rule 'assigned' can, and at version 0 tables whose initial values are pushed
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
      section.rows.forEach(in: 0..<section.rows.count) { position, index in
        let wasMissing = missingInitialValues.fill(table: table, row: index)
        guard wasMissing || isAlwaysTaken else { return }
        tables[table].assign(start + position * rowByteCount, toRowAt: index, in: &block)
        isWritten = true
      }
    }
    return isWritten
  }

  /// The name of a table without all its initial values, for messages.
  var missingTableName: String {
    missingInitialValues.firstTable.map { tables[$0].spec.name } ?? ""
  }
}

/// The rows of this server that still lack initial values that workers push. Until there are none,
/// pulls wait and gradients are refused.
struct MissingInitialValues: Sendable {
  private struct Rows: Sendable {
    var isMissing: [Bool]
    var count: Int
  }

  /// By position of the table; complete tables are left out.
  private var rows: [Int: Rows] = [:]

  /// No rows are missing.
  init() {}

  /// - Parameter tables: the tables at version 0.
  init(_ tables: [TableStore]) {
    for (position, table) in tables.enumerated()
    where table.spec.initializer == .pushed && table.rowCount > 0 {
      rows[position] = Rows(
        isMissing: Array(repeating: true, count: table.rowCount), count: table.rowCount)
    }
  }

  var isEmpty: Bool { rows.isEmpty }

  /// The first table that lacks values.
  var firstTable: Int? { rows.keys.min() }

  /// Records that a row has its values.
  ///
  /// - Returns: whether it lacked them before.
  mutating func fill(table: Int, row: Int) -> Bool {
    guard rows[table]?.isMissing[row] == true else { return false }
    rows[table]?.isMissing[row] = false
    rows[table]?.count -= 1
    if rows[table]?.count == 0 { rows[table] = nil }
    return true
  }

  /// Whether the counts agree with the rows.
  var isConsistent: Bool {
    rows.values.allSatisfy { rows in
      rows.count > 0 && rows.isMissing.count(where: { $0 }) == rows.count
    }
  }
}
