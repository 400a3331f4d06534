import Checkpoints
import Files
import Foundation
import Logging
import Synchronization
import Telemetry
import Transport
import Web

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Answers requests for the metrics and the health of this process: `/metrics`, `/healthz`,
/// `/readyz`.
///
/// With a folder, the process also leaves two files there: `NAME.json` with its address while it
/// runs, in the form of Prometheus's file-based service discovery, and `NAME.prom` with its last
/// metrics, in the form of the node exporter's textfile collector, since a run may end between two
/// readings.
package final class TelemetryService: Sendable {
  /// Where the loop of the process leaves its counters.
  package let board: TelemetryBoard
  private let server: WebServer
  private let process: ProcessMetrics
  private let name: String
  private let folder = Mutex<String?>(nil)
  private let logger = Logger(label: "mrdib.telemetry")

  /// - Parameters:
  ///   - role: such as `worker`.
  ///   - name: of the process, such as `worker-1`; empty for one without a name.
  ///   - patience: how long the loop of the process may take for one turn, seconds.
  /// - Throws: `WebError` if the address or the token cannot be used, `CheckpointError` if the
  ///   folder cannot.
  package init(
    _ settings: TelemetrySettings, role: String, name: String, patience: Double = 30
  ) throws {
    let board = TelemetryBoard(patience: patience)
    let process = ProcessMetrics(role: role, board: board)
    self.board = board
    self.process = process
    let id = ProcessInfo.processInfo.processIdentifier
    self.name = name.isEmpty ? "\(role)-\(id)" : name
    let token = try settings.tokenFile.map { try WebToken(file: $0) }
    server = try WebServer(address: settings.address, token: token) {
      Self.respond($0, board, process)
    }
    if let warning = server.exposureWarning {
      logger.warning("\(warning); --telemetry-token FILE asks for one")
    }
    if let folder = settings.folder { try leaveFiles(in: folder) }
  }

  /// Leaves the address and, at the end, the last metrics in a folder, unless the settings named
  /// one already.
  ///
  /// - Throws: `CheckpointError` if the folder cannot be used.
  package func leaveFiles(in folder: String) throws {
    let isNew = self.folder.withLock { known in
      defer { known = known ?? folder }
      return known == nil
    }
    guard isNew else { return }
    try DurableFile.makeFolder(folder)
    // No label of a metric: Prometheus would rename that.
    let target = Target(targets: ["\(server.boundAddress)"], labels: ["process": name])
    try DurableFile.write(ResultJSON.encode([target], isPretty: false), to: addressPath(in: folder))
  }

  /// Where the metrics are, for a person.
  package var url: String { "\(server.url)/metrics" }

  /// Ends the service: leaves the last metrics in the folder, and removes the address.
  package func finish() {
    server.stop()
    guard let folder = folder.withLock({ $0 }) else { return }
    unlink(addressPath(in: folder))
    let families = Self.families(board, process).map { $0.labelled([.init("process", name)]) }
    do {
      try DurableFile.write(
        MetricsText.prometheus.encode(families), to: "\(folder)/\(name).prom")
    } catch {
      // The run itself has its records.
      logger.warning("the last metrics were not written: \(error)")
    }
  }

  /// An entry of a file of Prometheus's file-based service discovery.
  private struct Target: Encodable {
    let targets: [String]
    let labels: [String: String]
  }

  private func addressPath(in folder: String) -> String { "\(folder)/\(name).json" }

  private static func families(
    _ board: TelemetryBoard, _ process: ProcessMetrics
  ) -> [MetricFamily] { MetricFamily.joined(process.families + board.families) }

  private static func respond(
    _ request: WebRequest, _ board: TelemetryBoard, _ process: ProcessMetrics
  ) -> WebResponse {
    switch request.path {
    case "/metrics":
      let text = MetricsText(accepting: request.headers["accept"])
      return WebResponse(
        contentType: text.contentType, body: text.encode(families(board, process)))
    case "/healthz":
      if board.isAlive { return .text("alive") }
      let age = Int(board.turnAge ?? 0)
      return .text("the loop has not turned for \(age) s", status: 503)
    case "/readyz":
      let status = board.status
      return .text(
        "\(status.isReady ? "ready" : "not ready"): \(status.activity)",
        status: status.isReady ? 200 : 503)
    case "/": return .text("mrdib \(process.role): /metrics /healthz /readyz")
    default: return .notFound
    }
  }
}
