import Files
import ParameterServer
import Tables

/// Reads the rows of a checkpoint with the values that pulls of its version return.
package struct CheckpointView {
  package let manifest: CheckpointManifest
  let shards: [CheckpointShardFile]
  let catchUp: StoredRowCatchUp

  /// Opens a checkpoint and compares its files with their digests.
  ///
  /// - Parameters:
  ///   - store: the store of the checkpoint.
  ///   - optimizer: the optimizer of the manifest's configuration.
  /// - Throws: ``CheckpointError`` if a file is missing, damaged or of another checkpoint, or if
  ///   the states are another optimizer's; `ParameterServerError` if the optimizer is invalid.
  package init(
    _ manifest: CheckpointManifest, in store: CheckpointStore, optimizer: OptimizerConfiguration
  ) throws {
    self.manifest = manifest
    guard manifest.optimizer == optimizer.description else {
      throw CheckpointError(
        .mismatch,
        "Cannot use '\(store.storage.path(of: manifest.name.manifest))': it was written with the "
          + "optimizer "
          + "\(manifest.optimizer.summary.sanitized()), but its configuration has "
          + "\(optimizer.description.summary); use another checkpoint.")
    }
    shards = try manifest.shards.indices.map { rank in
      let shard = try CheckpointShardFile(manifest, rank: rank, in: store.storage)
      try shard.verifyDigest()
      return shard
    }
    catchUp = try StoredRowCatchUp(
      optimizer: optimizer, schedule: manifest.schedule, version: manifest.version)
  }

  /// The name, row count and row layout of a table.
  func shape(of table: CheckpointManifest.Table) -> TableShape { manifest.shape(of: table) }

  /// The number of rows of a table that take about a megabyte; at least one.
  func windowRows(of table: CheckpointManifest.Table) -> Int {
    max(1, min(table.rows, (1 << 20) / RowBuffer.byteCount(shape(of: table))))
  }
}

extension CheckpointView {
  /// A matrix to export: the weights of a table, or one of its optimizer states.
  package struct Parameters: Sendable, Equatable {
    /// The table's name `T`, or that of one of its states, such as `T/exp_avg`.
    package let name: String
    package let rows: Int
    package let columns: Int
    let table: CheckpointManifest.Table
    /// 0 for weights, then state.
    let part: Int
  }

  /// All matrices to export; assigned tables are left out.
  ///
  /// - Parameter withState: whether optimizer states are included.
  package func parameters(withState: Bool = false) -> [Parameters] {
    manifest.tables.filter { !$0.isAssigned }.flatMap { table in
      let parts = ShardLayout.parts(of: shape(of: table), rowCount: table.rows)
      return parts.prefix(withState ? parts.count : 1).enumerated().map { part, tensor in
        Parameters(
          name: tensor.name, rows: table.rows, columns: tensor.shape[1], table: table, part: part)
      }
    }
  }

  /// The weights of one table, also of an assigned one; nil if there is no table of the name.
  package func weights(of name: String) -> Parameters? {
    manifest.tables.first { $0.name == name }.map {
      Parameters(name: name, rows: $0.rows, columns: $0.width, table: $0, part: 0)
    }
  }

  /// Calls `body` with the rows of a matrix in the order of their ids, with the values that the
  /// next step reads. Uses a few megabytes of memory.
  ///
  /// - Throws: ``CheckpointError`` if a file cannot be read or lacks rows, and the errors of
  ///   `body`.
  package func readRows(
    of parameters: Parameters, _ body: (UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    let windows = try TableWindows(
      of: parameters.table, in: self, windowRows: windowRows(of: parameters.table))
    let offset = shape(of: parameters.table).layout.parts[..<parameters.part]
      .reduce(0) { $0 + $1.columns }
    while let window = try windows.next() {
      for row in 0..<window.rows.count {
        try body(
          UnsafeBufferPointer(
            start: window.values + row * window.stride + offset, count: parameters.columns))
      }
    }
  }

  /// Writes all parameters to one safetensors file, as F32 `[rows, width]` each; assigned tables
  /// are left out.
  ///
  /// - Parameter withState: whether optimizer states are included, such as `T/exp_avg` of a table
  ///   `T`.
  /// - Throws: ``CheckpointError`` if a file cannot be read, lacks rows, or cannot be written; a
  ///   file that existed at `path` is then unchanged.
  package func export(to path: String, withState: Bool = false) throws {
    let parts = parameters(withState: withState)
    let writer = try SafetensorsWriter(
      path: path,
      tensors: parts.map { .init(name: $0.name, rows: $0.rows, columns: $0.columns) },
      metadata: [
        "format": "mrdib-parameters-1", "run": manifest.runID, "epoch": "\(manifest.epoch)",
        "version": "\(manifest.version)",
      ])
    for part in parts { try readRows(of: part) { try writer.append($0) } }
    try writer.finish()
  }
}

/// The differences of one table between two checkpoints.
package struct TableDifference: Sendable, Equatable {
  /// The table's name.
  package let table: String
  /// Compared rows; 0 if only one of the checkpoints has the table, or its shapes differ.
  package fileprivate(set) var rowCount = 0
  /// Rows whose weights differ in a bit.
  package fileprivate(set) var differingRows = 0
  /// Rows whose optimizer state differs in a bit.
  package fileprivate(set) var differingStates = 0
  /// The largest difference between two weights; not finite if one of them is not.
  package fileprivate(set) var largestDifference: Float = 0

  /// Whether the tables have the same bits.
  package var isEmpty: Bool { rowCount > 0 && differingRows == 0 && differingStates == 0 }
}

extension CheckpointView {
  /// Compares two checkpoints table by table. Uses a few megabytes of memory.
  ///
  /// - Throws: ``CheckpointError`` if a file cannot be read or lacks rows.
  package func difference(from other: CheckpointView) throws(CheckpointError) -> [TableDifference] {
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
      // Also true if `distance` is NaN.
      if !(distance <= largestDifference) && !largestDifference.isNaN {
        largestDifference = distance
      }
    }
    if !isEqual { differingRows += 1 }
    let isStateEqual = (width..<stride).allSatisfy { left[$0].bitPattern == right[$0].bitPattern }
    if !isStateEqual { differingStates += 1 }
  }
}
