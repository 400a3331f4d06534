/// Limits on the contents of one message and on its numbers. A receiver checks all of them before
/// it uses a message, so that no message can cause unbounded use of memory or time, and no accepted
/// number can overflow in a computation.
///
/// Two kinds of numbers are limited only by their type. Names (ids of requests and tasks,
/// incarnations of nodes, seeds) are compared but not computed with. Sums of losses and metrics may
/// have any value, including NaN, which reports that a run diverged.
public struct WireLimits: Sendable, Equatable {
  /// Bytes of a header frame.
  public var headerBytes = 8 << 20
  /// Bytes of memory that the parsed form of a header may take.
  public var decodedHeaderBytes = 64 << 20
  /// Table sections in a data message, and tables in a welcome.
  public var sections = 4096
  /// Bytes of the resolved configuration.
  public var configurationBytes = 4 << 20
  /// Bytes of any other string.
  public var textBytes = 4 << 10
  /// Values in a reduction.
  public var reduceValues = 65_536
  /// Shards or blocks in a task.
  public var units = 1_000_000
  /// Unit reports in a finished task.
  public var unitReports = 65_536
  /// Named sums in one unit report.
  public var sumsPerReport = 256
  /// Named counts in one unit report.
  public var countsPerReport = 256
  /// Servers of a run, and workers: the number of ranks of a role.
  public var members = 4096

  // Largest values. All fit into `Int`.

  /// Logical shards of a batch.
  public var shards = 65_536
  /// Rows of a table: their ids have 32 bits.
  public var rows = UInt64(UInt32.max)
  /// Numbers in a row.
  public var rowWidth = 1 << 24
  /// Bytes of a table's name.
  public var tableNameBytes = 256
  /// Versions of the tables: servers count the updates of a row with 32 bits.
  public var versions = UInt64(UInt32.max)
  /// Generations, and the terms of coordinators.
  public var generations = UInt64(UInt32.max)
  /// Rounds of a step.
  public var roundsPerStep = 1000
  /// Epochs; blocks of users, items or initial values.
  public var epochsAndBlocks = UInt64(Int32.max)
  /// Bytes of a file or of memory; steps of a task.
  public var quantity = UInt64(1) << 62
  /// Seconds between two heartbeats.
  public var heartbeatInterval = 3600.0

  /// The limits that every process uses outside tests.
  public static let standard = WireLimits()

  public init() {}

  /// Bytes of a frame between a node and the coordinator, whose messages have only a header. The
  /// largest in practice have some hundred KiB: a welcome with thousands of tables, or the reports
  /// of a task with thousands of blocks.
  public static var controlFrameBytes: Int { standard.headerBytes }
}
