import Recommenders
import Settings

/// A metric by its name; upper case is accepted.
package struct MetricName: SettingChoice {
  package static let allCases = Metric.all.map { Self(known: $0.name) }
  static let standard = Metric.standard.map { Self(known: $0.name) }

  package let rawValue: String

  package init?(rawValue: String) {
    guard let metric = Metric.named(rawValue.lowercased()) else { return nil }
    self.init(known: metric.name)
  }

  private init(known name: String) { rawValue = name }
}

extension RunConfiguration {
  /// What an evaluation computes, in the order in which metrics are listed.
  package var metrics: [Metric] {
    let names = Set(self.selection.metrics.map(\.rawValue))
    return Metric.all.filter { names.contains($0.name) }
  }
}
