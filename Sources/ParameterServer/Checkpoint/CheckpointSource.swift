import Protocol
import Tables

/// A checkpoint for reading: the snapshots of all servers at one version, from any storage and any
/// number of servers.
package protocol CheckpointSource {
  /// The version of the tables.
  var version: UInt64 { get }
  /// The optimizer that wrote the states of the rows.
  var optimizer: OptimizerDescription { get }
  /// The epoch sums of server 0.
  var epochSums: [UnitReport] { get }

  /// Calls `body` with the wanted rows of a table, in parts and in any order, each row once. Parts
  /// may contain other rows too.
  ///
  /// - Throws: an error with a message when rows cannot be read or do not have this shape, and the
  ///   errors of `body`.
  func readRows(
    of table: TableShape, where isWanted: (_ row: UInt32) -> Bool,
    _ body: (StoredRows) throws -> Void
  ) throws
}

/// Some rows of a table with optimizer states and update numbers, in borrowed memory that is valid
/// during one call.
package struct StoredRows {
  /// The rows' ids in the table.
  package let ids: UnsafeBufferPointer<UInt32>
  /// Weights, then optimizer states, each `[ids.count, its width]` as the table's layout stores
  /// them.
  package let parts: [UnsafeRawPointer]
  /// `[ids.count]`; nil if not tracked.
  package let lastUpdates: UnsafePointer<UInt32>?

  /// Rows in borrowed memory.
  package init(
    ids: UnsafeBufferPointer<UInt32>, parts: [UnsafeRawPointer],
    lastUpdates: UnsafePointer<UInt32>?
  ) {
    self.ids = ids
    self.parts = parts
    self.lastUpdates = lastUpdates
  }
}

/// Brings rows of a checkpoint to the values that a pull of its version returns: with `lazyExact`,
/// rows are stored with missed steps, which are replayed here.
package struct StoredRowCatchUp: Sendable {
  private let optimizer: Optimizer

  /// - Parameters:
  ///   - optimizer: the run's optimizer.
  ///   - schedule: the run's schedule.
  ///   - version: the checkpoint's version.
  /// - Throws: ``ParameterServerError`` if a number of the optimizer is out of its range
  ///   (`configuration`), or the version is out of range (`checkpoint`).
  package init(
    optimizer: OptimizerConfiguration, schedule: StepSchedule, version: UInt64
  ) throws(ParameterServerError) {
    try optimizer.validate()
    self.optimizer = try Optimizer(optimizer, schedule: schedule, atVersion: version)
  }

  /// Updates rows in place.
  ///
  /// - Parameters:
  ///   - rows: wide rows, `[lastUpdates.count, wideStride]`.
  ///   - lastUpdates: the number of each row's last update.
  ///   - layout: the layout of each row.
  ///   - rule: the table's update rule.
  package func apply(
    to rows: UnsafeMutablePointer<Float>, lastUpdates: UnsafeBufferPointer<UInt32>,
    of layout: RowLayout, rule: UpdateRule
  ) {
    guard layout.tracksUpdates, let missed = optimizer.catchUp(of: rule) else { return }
    for (position, lastUpdate) in lastUpdates.enumerated() {
      missed.catchUp(
        rows + position * layout.wideStride, width: layout.width, from: Int(lastUpdate))
    }
  }
}
