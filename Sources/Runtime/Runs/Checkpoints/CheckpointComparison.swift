import Checkpoints

/// Compares two checkpoints table by table. Assigned tables are left out: the last evaluation wrote
/// them, and training does not read them.
package struct CheckpointComparison: Sendable, Encodable {
  /// One of the two.
  package struct Side: Sendable, Encodable {
    /// Its folder.
    package let checkpoint: String
    package let run: String
    package let version: UInt64
    package let servers: Int
    /// Why each newer checkpoint was skipped.
    package let problems: [String]
  }

  package enum State: String, Sendable, Encodable {
    case same
    case different
    /// The number of rows, the width or the optimizer state differ: rows cannot be compared.
    case otherShape = "other_shape"
    case onlyLeft = "only_left"
    case onlyRight = "only_right"
  }

  package struct Table: Sendable, Encodable {
    package let table: String
    package let state: State
    /// Rows that were compared.
    package let rows: Int
    /// Rows whose weights differ in a bit.
    package let differingRows: Int
    /// Rows whose optimizer state differs in a bit.
    package let differingStates: Int
    /// The largest difference between two weights.
    let largestDifference: ResultJSON.Number

    enum CodingKeys: String, CodingKey {
      case table, state, rows
      case differingRows = "differing_rows"
      case differingStates = "differing_states"
      case largestDifference = "largest_difference"
    }
  }

  package let left: Side
  package let right: Side
  /// The tables of both, those of the left checkpoint first.
  package let tables: [Table]

  /// Whether all tables have the same bits, optimizer state included.
  package var isSame: Bool { tables.allSatisfy { $0.state == .same } }

  /// Compares two checkpoints; the number of servers that wrote them may differ.
  ///
  /// - Parameters: paths of checkpoints, or of runs or folders of checkpoints, which stand for
  ///   their newest usable checkpoint.
  /// - Throws: errors with a sentence when a path leads to no usable checkpoint.
  package init(_ leftPath: String, _ rightPath: String) throws {
    let places = (try CheckpointPlace(path: leftPath), try CheckpointPlace(path: rightPath))
    let (leftView, leftProblems) = try places.0.open()
    let (rightView, rightProblems) = try places.1.open()
    left = Side(leftView.manifest, in: places.0, leftProblems)
    right = Side(rightView.manifest, in: places.1, rightProblems)
    let names = (leftView.tableNames, rightView.tableNames)
    let assigned = leftView.assignedTables.union(rightView.assignedTables)
    let differences = try leftView.difference(from: rightView)
    tables = differences.filter { !assigned.contains($0.table) }.map { difference in
      let state: State =
        if difference.isEmpty {
          .same
        } else if difference.rowCount > 0 {
          .different
        } else if !names.1.contains(difference.table) {
          .onlyLeft
        } else {
          names.0.contains(difference.table) ? .otherShape : .onlyRight
        }
      return Table(difference, state)
    }
  }

  /// The comparison as a text table.
  package var lines: [String] {
    let table = TextTable(
      header: ["table", "state", "rows", "different", "other state", "largest difference"],
      rows: tables.map { table in
        let isCompared = table.rows > 0
        return [table.table, table.state.words]
          + [
            "\(table.rows)", "\(table.differingRows)", "\(table.differingStates)",
            "\(Float(table.largestDifference.value))",
          ].map { isCompared ? $0 : "-" }
      }, leftColumns: 2)
    let count = tables.count { $0.state != .same }
    return [left, right].map(\.line) + table.lines
      + [isSame ? "the same bits" : "\(count) of \(tables.count) tables differ"]
  }
}

extension CheckpointComparison.State {
  fileprivate var words: String {
    switch self {
    case .same, .different: rawValue
    case .otherShape: "other shape"
    case .onlyLeft: "only in the first"
    case .onlyRight: "only in the second"
    }
  }
}

extension CheckpointComparison.Side {
  fileprivate init(_ manifest: CheckpointManifest, in place: CheckpointPlace, _ problems: [String])
  {
    checkpoint = place.path(of: manifest.name)
    run = manifest.runID
    version = manifest.version
    servers = manifest.serverCount
    self.problems = problems
  }

  fileprivate var line: String { "\(checkpoint) of run \(run)" }
}

extension CheckpointComparison.Table {
  fileprivate init(_ difference: TableDifference, _ state: CheckpointComparison.State) {
    table = difference.table
    self.state = state
    rows = difference.rowCount
    differingRows = difference.differingRows
    differingStates = difference.differingStates
    largestDifference = ResultJSON.Number(value: Double(difference.largestDifference))
  }
}

extension CheckpointView {
  fileprivate var tableNames: Set<String> { Set(manifest.tables.map(\.name)) }

  fileprivate var assignedTables: Set<String> {
    Set(manifest.tables.filter(\.isAssigned).map(\.name))
  }
}
