import ArgumentParser
import Foundation
import Runtime
import Web

/// The options for reading the metrics and the health of a process.
struct TelemetryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Answer requests for /metrics, /healthz and /readyz at this address: HOST:PORT, or PORT on \
      this machine only; port 0 is a free one. 'train' uses the ports after it for its processes \
      (default: MRDIB_TELEMETRY, else none).
      """, valueName: "address"))
  var telemetry: String?

  @Option(
    help: ArgumentHelp(
      "A file with a token that requests must contain (default: none).", valueName: "file"),
    completion: .file())
  var telemetryToken: String?

  @Option(
    help: ArgumentHelp(
      """
      Where the process leaves its address while it runs, and its last metrics (default: \
      'telemetry' in the run directory, if the process has one).
      """, valueName: "folder"), completion: .directory)
  var telemetryFolder: String?

  func validate() throws {
    // Before anything is begun.
    do { if let telemetry { _ = try WebAddress(telemetry) } } catch {
      throw ValidationError("--telemetry: \(error)")
    }
  }

  /// How long a whole run in one process may take for one turn of its loop, seconds: it computes
  /// and ranks there.
  static let longPatience = 600.0

  /// The settings; nil if no address is given.
  ///
  /// - Parameter directory: of the run, if the process has one.
  /// - Throws: ``WebError`` if the address cannot be read.
  func settings(in directory: RunDirectory? = nil) throws -> TelemetrySettings? {
    let variable = ProcessInfo.processInfo.environment["MRDIB_TELEMETRY"] ?? ""
    guard let text = telemetry ?? (variable.isEmpty ? nil : variable) else { return nil }
    return TelemetrySettings(
      address: try WebAddress(text), tokenFile: telemetryToken,
      folder: telemetryFolder ?? directory?.telemetryDirectory)
  }

  /// Starts to answer; nil if no address is given.
  ///
  /// - Parameter announce: receives a line that names the address.
  func service(
    role: String, name: String, in directory: RunDirectory? = nil, patience: Double = 30,
    announce: (String) -> Void = StandardError.write
  ) throws -> TelemetryService? {
    guard let settings = try settings(in: directory) else { return nil }
    let service = try TelemetryService(settings, role: role, name: name, patience: patience)
    announce("metrics are at \(service.url)")
    return service
  }

  /// Does the work of a process and then ends its service.
  static func finishing<Result>(
    _ service: TelemetryService?, _ work: () throws -> Result
  ) rethrows -> Result {
    defer { service?.finish() }
    return try work()
  }
}
