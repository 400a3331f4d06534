import Tables

/// Which rows of this server still wait for the initial values that data decides. Until there are
/// none, nothing is answered that depends on them.
struct MissingInitialValues: Sendable {
  private struct Rows: Sendable {
    var isMissing: [Bool]
    var count: Int
  }

  /// By position of the table; tables that miss nothing are left out.
  private var rows: [Int: Rows] = [:]

  /// Nothing is missing.
  init() {}

  /// - Parameter tables: as they begin.
  init(_ tables: [TableStore]) {
    for (position, table) in tables.enumerated()
    where table.spec.initializer == .pushed && table.rowCount > 0 {
      rows[position] = Rows(
        isMissing: Array(repeating: true, count: table.rowCount), count: table.rowCount)
    }
  }

  var isEmpty: Bool { rows.isEmpty }

  /// The first table that misses values.
  var firstTable: Int? { rows.keys.min() }

  /// Takes note that a row has its values.
  ///
  /// - Returns: whether it missed them until now.
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
