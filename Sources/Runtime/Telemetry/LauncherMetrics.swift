import Telemetry

/// What a launcher has done about its processes. A value.
struct LauncherMetrics: MetricSource {
  private let names: [String]
  /// By name.
  private var restarts: [String: Int] = [:]
  private var kills: [String: Int] = [:]
  private var failures: [String: Int] = [:]

  /// - Parameter names: of the processes.
  init(names: [String]) { self.names = names }

  mutating func note(_ notice: LaunchNotice) {
    switch notice {
    case .restarts(let result, _, _): restarts[result.name, default: 0] += 1
    case .hangs(let name, _): kills[name, default: 0] += 1
    case .notStarted(let name, _): failures[name, default: 0] += 1
    case .runEnds, .tooManyRestarts, .failsAgain, .continuesWithout, .lingers, .notShown: break
    }
  }

  var families: [MetricFamily] {
    func family(_ name: String, _ help: String, _ counts: [String: Int]) -> MetricFamily {
      var family = MetricFamily(name, .counter, help)
      for process in names {
        family.add([.init("child", process)], Double(counts[process] ?? 0))
      }
      return family
    }
    return [
      family("mrdib_launcher_restarts", "Restarts of each process of the cluster.", restarts),
      family("mrdib_launcher_kills", "Processes killed because they were hanging.", kills),
      family("mrdib_launcher_start_failures", "Processes that could not be restarted.", failures),
    ]
  }
}

/// The telemetry of a launcher: its service, and what it counts.
///
/// Confined to the launcher's thread.
final class LauncherTelemetry {
  private let service: TelemetryService
  private var metrics: LauncherMetrics

  /// - Parameters:
  ///   - processes: the names of the processes that it starts.
  ///   - announce: receives a line for the user that names the address.
  /// - Throws: as ``TelemetryService/init(_:role:name:patience:)``.
  init(_ settings: TelemetrySettings, processes: [String], announce: (String) -> Void) throws {
    service = try TelemetryService(settings, role: "launcher", name: "launcher")
    metrics = LauncherMetrics(names: processes)
    leave()
    announce(
      "metrics of the launcher are at \(service.url)"
        + (settings.folder.map { "; the addresses of all processes are in \($0)" } ?? ""))
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
