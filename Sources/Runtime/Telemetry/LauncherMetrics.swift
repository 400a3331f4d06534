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
