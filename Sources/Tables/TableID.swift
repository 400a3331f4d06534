/// Names a table on the wire. Ids are positions in the run's list of tables.
public struct TableID: RawRepresentable, Hashable, Sendable, Comparable {
  /// The position.
  public let rawValue: UInt32
  /// The id of the table at a position.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Orders ids by position.
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
