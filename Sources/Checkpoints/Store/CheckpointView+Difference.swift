/// How one table differs between two checkpoints.
public struct TableDifference: Sendable, Equatable {
  /// The table's name.
  public let table: String
  /// Rows that were compared; 0 if the table is in one of the checkpoints only, or its rows have
  /// other things in the other.
  public fileprivate(set) var rowCount = 0
  /// Rows whose weights differ in a bit.
  public fileprivate(set) var differingRows = 0
  /// Rows whose optimizer state differs in a bit.
  public fileprivate(set) var differingStates = 0
  /// The largest difference between two weights; not a finite number where one of them is none.
  public fileprivate(set) var largestDifference: Float = 0

  /// Whether the tables have the same bits.
  public var isEmpty: Bool { rowCount > 0 && differingRows == 0 && differingStates == 0 }
}

extension CheckpointView {
  /// Compares two checkpoints table by table, in a few megabytes of memory.
  ///
  /// - Throws: ``CheckpointError`` if a file cannot be read or lacks rows.
  public func difference(from other: CheckpointView) throws(CheckpointError) -> [TableDifference] {
    var result: [TableDifference] = []
    for table in manifest.tables {
      guard let match = other.manifest.tables.first(where: { $0.name == table.name }),
        shape(of: table) == other.shape(of: match)
      else {
        result.append(TableDifference(table: table.name))
        continue
      }
      result.append(try compare(table, with: match, of: other))
    }
    let names = Set(manifest.tables.map(\.name))
    return result
      + other.manifest.tables.filter { !names.contains($0.name) }
      .map { TableDifference(table: $0.name) }
  }

  private func compare(
    _ table: CheckpointManifest.Table, with match: CheckpointManifest.Table,
    of other: CheckpointView
  ) throws(CheckpointError) -> TableDifference {
    let windowRows = windowRows(of: table)
    let lefts = try TableWindows(of: table, in: self, windowRows: windowRows)
    let rights = try TableWindows(of: match, in: other, windowRows: windowRows)
    var result = TableDifference(table: table.name, rowCount: table.rows)
    while let left = try lefts.next(), let right = try rights.next() {
      for row in 0..<left.rows.count {
        result.add(
          left.values + row * left.stride, right.values + row * right.stride, width: table.width,
          stride: left.stride)
      }
    }
    return result
  }
}

extension TableDifference {
  /// Compares two rows: weights, then state.
  fileprivate mutating func add(
    _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, width: Int, stride: Int
  ) {
    var isEqual = true
    for column in 0..<width where left[column].bitPattern != right[column].bitPattern {
      isEqual = false
      let distance = abs(left[column] - right[column])
      // A comparison with what is not a number is never true.
      if !(distance <= largestDifference) && !largestDifference.isNaN {
        largestDifference = distance
      }
    }
    if !isEqual { differingRows += 1 }
    let isStateEqual = (width..<stride).allSatisfy { left[$0].bitPattern == right[$0].bitPattern }
    if !isStateEqual { differingStates += 1 }
  }
}
