import Protocol
import Telemetry

extension MetricFamily {
  /// Refused requests by reason.
  static func refusals(
    _ name: String, _ help: String, _ counts: [Refusal.Code: Int]
  ) -> MetricFamily {
    var family = MetricFamily(name, .counter, help)
    for code in Refusal.Code.allCases {
      family.add([.init("reason", code.label)], Double(counts[code] ?? 0))
    }
    return family
  }
}

extension Refusal.Code {
  /// The value of the label `reason`.
  fileprivate var label: String {
    switch self {
    case .protocolVersion: "protocol_version"
    case .wrongRun: "wrong_run"
    case .staleGeneration: "stale_generation"
    case .malformed: "malformed"
    case .notReady: "not_ready"
    case .clusterFull: "cluster_full"
    case .limit: "limit"
    case .diverged: "diverged"
    case .helloNeeded: "hello_needed"
    case .versionSuperseded: "version_superseded"
    }
  }
}
