public import Messages

/// The snapshots of all servers of a version, wherever they are kept and however many there are.
public protocol CheckpointSource {
  /// What the tables stand at.
  var version: UInt64 { get }
  /// What wrote the states of the rows.
  var optimizer: OptimizerDescription { get }
  /// Of server 0.
  var epochSums: [UnitReport] { get }

  /// Calls `body` with the rows of a table that are wanted, some at a time, in any order, each
  /// once; rows beside them that are not wanted may be among them.
  ///
  /// - Throws: an error with a sentence when rows cannot be read or do not have this shape, and
  ///   what `body` throws.
  func readRows(
    of table: TableShape, where isWanted: (_ row: UInt32) -> Bool,
    _ body: (StoredRows) throws -> Void
  ) throws
}

/// Some rows of a table with everything that belongs to them, valid during the call that brings
/// them.
public struct StoredRows {
  /// The rows' ids in the table.
  public let ids: UnsafeBufferPointer<UInt32>
  /// Weights, then optimizer states, each `[ids.count, its width]`.
  public let parts: [UnsafePointer<Float>]
  /// `[ids.count]`; nil if not tracked.
  public let lastUpdates: UnsafePointer<UInt32>?

  /// Rows that lie in somebody's memory.
  public init(
    ids: UnsafeBufferPointer<UInt32>, parts: [UnsafePointer<Float>],
    lastUpdates: UnsafePointer<UInt32>?
  ) {
    self.ids = ids
    self.parts = parts
    self.lastUpdates = lastUpdates
  }
}
