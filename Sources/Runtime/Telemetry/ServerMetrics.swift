import ParameterServer
import Protocol
import Telemetry

/// The counters of a parameter server.
struct ServerMetrics: MetricSource {
  let statistics: ServerStatistics
  let checkpoints: CheckpointWritingStatistics
  /// Empty while the tables are prepared.
  let tables: [TableSize]
  let parkedPulls: Int
  let version: UInt64
  /// Nil before the process is a member.
  let welcome: Welcome?

  init<Peer>(_ session: ServerSession<Peer>, checkpoints: CheckpointWritingStatistics) {
    statistics = session.statistics
    self.checkpoints = checkpoints
    tables = session.state?.tableSizes ?? []
    parkedPulls = session.state?.parkedPullCount ?? 0
    version = session.state?.version ?? 0
    welcome = session.welcome
  }

  var families: [MetricFamily] {
    var rows = MetricFamily("mrdib_server_table_rows", .gauge, "Rows that the server holds.")
    var bytes = MetricFamily(
      "mrdib_server_table_bytes", .gauge, "Memory of the rows with their optimizer state.")
    for table in tables {
      rows.add([.init("table", table.name)], Double(table.rows))
      bytes.add([.init("table", table.name)], Double(table.bytes))
    }
    var written = MetricFamily(
      "mrdib_server_checkpoint_duration_seconds", .histogram,
      "Time to write the server's rows of a checkpoint.")
    written.add([], checkpoints.seconds)
    func count(_ name: String, _ help: String, _ value: Int) -> MetricFamily {
      MetricFamily(name, .counter, help, Double(value))
    }
    func level(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
      MetricFamily(name, .gauge, help, value)
    }
    return [
      .member("server", welcome),
      count("mrdib_server_pulls", "Answered pulls.", statistics.pulls),
      count(
        "mrdib_server_pulls_waited", "Pulls that waited for a version.", statistics.parkedPulls),
      level("mrdib_server_pulls_parked", "Pulls that wait for a version now.", Double(parkedPulls)),
      count("mrdib_server_pulled_rows", "Rows in replies to pulls.", statistics.rowsPulled),
      count(
        "mrdib_server_pulled_bytes", "Bytes of row values in replies to pulls.",
        statistics.bytesPulled),
      count("mrdib_server_pushes", "Accepted pushes.", statistics.pushes),
      count(
        "mrdib_server_pushes_repeated", "Repeated pushes, which changed nothing.",
        statistics.duplicates),
      count(
        "mrdib_server_pushed_bytes", "Bytes of row values in accepted pushes.",
        statistics.bytesPushed),
      count("mrdib_server_reduces", "Answered reduce requests.", statistics.reduces),
      count(
        "mrdib_server_rows_updated",
        "Updates of a row; the gradients of all shards count as one.", statistics.rowsUpdated),
      .refusals(
        "mrdib_server_refusals", "Requests that this server refused, by reason.",
        statistics.refusals),
      level(
        "mrdib_server_greatest_staleness_versions",
        "The greatest staleness of the rows of a reply so far; 0 in bsp.",
        Double(statistics.greatestStaleness)),
      level(
        "mrdib_server_version", "The version of the tables: the number of updates.",
        Double(version)),
      level(
        "mrdib_server_generation", "The generation of the tables; 0 before the first.",
        Double(welcome?.generation ?? 0)),
      rows, bytes, written,
      count(
        "mrdib_server_checkpoint_written_bytes", "Bytes of checkpoint files that were written.",
        Int(clamping: checkpoints.bytes)),
      count(
        "mrdib_server_checkpoint_failures", "Checkpoints that could not be written.",
        checkpoints.failures),
    ]
  }
}

/// Counts of the checkpoints that a server wrote.
struct CheckpointWritingStatistics: Sendable {
  var seconds = Histogram.ofDurations
  var bytes: UInt64 = 0
  var failures = 0
}

extension TelemetryBoard.Status {
  init<Peer>(_ session: ServerSession<Peer>) {
    let activity =
      if session.state != nil { "serving" } else if session.welcome != nil {
        "preparing its tables"
      } else { "joining the run" }
    self.init(isReady: session.state != nil, activity: activity)
  }
}
