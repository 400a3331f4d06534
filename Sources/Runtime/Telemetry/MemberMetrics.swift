import Protocol
import Telemetry

extension MetricFamily {
  /// The place of a worker or server in its run; no value before it has one.
  static func member(_ role: String, _ welcome: Welcome?) -> MetricFamily {
    var family = MetricFamily("mrdib_member", .info, "The run, and the rank of the process in it.")
    if let welcome {
      family.add(
        [.init("role", role), .init("rank", "\(welcome.rank)"), .init("run", welcome.runID)], 1)
    }
    return family
  }
}
