/// Limits on the contents of one message and on its numbers. A receiver checks all of them before
/// it uses a message, so that no message can cause unbounded use of memory or time, and no accepted
/// number can overflow in a computation.
///
/// Two kinds of numbers are limited only by their type. Names (ids of requests and tasks,
/// incarnations of nodes, seeds) are compared but not computed with. Sums of losses and metrics may
/// have any value, including NaN, which reports that a run diverged.
package struct WireLimits: Sendable, Equatable {
  /// Bytes of a header frame.
  package var headerBytes = 8 << 20
  /// Bytes of memory that the parsed form of a header may take.
  package var decodedHeaderBytes = 64 << 20
  /// Table sections in a data message, and tables in a welcome.
  package var sections = 4096
  /// Bytes of the resolved configuration.
  package var configurationBytes = 4 << 20
  /// Bytes of any other string.
  package var textBytes = 4 << 10
  /// Values in a reduction.
  package var reduceValues = 65_536
  /// Shards or blocks in a task.
  package var units = 1_000_000
  /// Unit reports in a finished task.
  package var unitReports = 65_536
  /// Named sums in one unit report.
  package var sumsPerReport = 2048
  /// Named counts in one unit report.
  package var countsPerReport = 256
  /// Servers of a run, and workers: the number of ranks of a role.
  package var members = 4096
  /// Runs of which a server reports that it holds the records.
  package var heldRecords = 1024
  /// Files of checkpoints that a server reports, and checkpoints that are asked for.
  package var heldRows = 65_536

  // Largest values. All fit into `Int`.

  /// Logical shards of a batch.
  package var shards = 65_536
  /// Rows of a table: their ids have 32 bits.
  package var rows = UInt64(UInt32.max)
  /// Numbers in a row.
  package var rowWidth = 1 << 24
  /// Bytes of a table's name.
  package var tableNameBytes = 256
  /// Versions of the tables: servers count the updates of a row with 32 bits.
  package var versions = UInt64(UInt32.max)
  /// Generations, and the terms of coordinators.
  package var generations = UInt64(UInt32.max)
  /// Rounds of a step.
  package var roundsPerStep = 1000
  /// Epochs; blocks of users, items or initial values.
  package var epochsAndBlocks = UInt64(Int32.max)
  /// Bytes of a file or of memory; steps of a task.
  package var quantity = UInt64(1) << 62
  /// Seconds between two heartbeats.
  package var heartbeatInterval = 3600.0

  /// The limits that every process uses outside tests.
  package static let standard = WireLimits()

  package init() {}

  /// Bytes of a frame between a node and the coordinator, whose messages have only a header. The
  /// largest in practice have some hundred KiB: a welcome with thousands of tables, or the reports
  /// of a task with thousands of blocks.
  package static var controlFrameBytes: Int { standard.headerBytes }
}
