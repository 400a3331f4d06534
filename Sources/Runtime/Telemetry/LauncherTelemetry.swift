/// The telemetry of a launcher: its service, and what it counts.
///
/// Confined to the launcher's thread.
final class LauncherTelemetry {
  private let service: TelemetryService
  private var metrics: LauncherMetrics

  /// - Parameters:
  ///   - processes: the names of the processes that it starts.
  ///   - isQuiet: whether the user is not shown where the metrics are.
  /// - Throws: as ``TelemetryService/init(_:role:name:patience:)``.
  init(_ settings: TelemetrySettings, processes: [String], isQuiet: Bool) throws {
    service = try TelemetryService(settings, role: "launcher", name: "launcher")
    metrics = LauncherMetrics(names: processes)
    leave()
    if isQuiet { return }
    ProcessOutput.report(
      "metrics of the launcher are at \(service.url)"
        + (settings.folder.map { "; all processes leave their addresses in \($0)" } ?? ""))
  }

  func note(_ notice: LaunchNotice) {
    metrics.note(notice)
    leave()
  }

  func finish() { service.finish() }

  private func leave() {
    let status = TelemetryBoard.Status(isReady: true, activity: "watching the processes")
    service.board.leaveLast([TelemetryBoard.Part("launcher", metrics, status)])
  }
}
