/// How much of anything one message may hold. A receiver checks all of it before it believes a
/// peer, so that no message can make it use unbounded memory or time.
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
  /// Servers of a run.
  public var servers = 4096

  /// The limits that every process uses outside tests.
  public static let standard = WireLimits()

  public init() {}
}
