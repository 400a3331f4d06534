import Foundation
import Messages

/// Numbers and times as people read them in a progress line.
package enum ProgressFormat {
  /// `12s`, `3m05s`, `2h07m`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole)s" }
    if whole < 3600 { return String(format: "%dm%02ds", whole / 60, whole % 60) }
    return String(format: "%dh%02dm", whole / 3600, whole % 3600 / 60)
  }

  /// `812`, `45.1k`, `1.32M`.
  static func rate(_ value: Double) -> String {
    if value >= 1e6 { return String(format: "%.2fM", value / 1e6) }
    if value >= 1e4 { return String(format: "%.1fk", value / 1e3) }
    return String(format: "%.0f", value)
  }

  /// `loss 0.4123 (bpr 0.4012, l2 0.0111)` from `loss.total`, `loss.bpr`, `loss.l2`; empty
  /// without a total.
  static func losses(_ values: [String: Double]) -> String {
    guard let total = values["loss.total"] else { return "" }
    let parts = values.keys.filter { $0.hasPrefix("loss.") && $0 != "loss.total" }.sorted()
      .map { "\($0.dropFirst(5)) \(number(values[$0] ?? 0))" }
    let detail = parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
    return "loss \(number(total))\(detail)"
  }

  /// `staleness 0.43 (at most 2)`; nil where it was not counted.
  static func staleness(_ values: [String: Double]) -> String? {
    StalenessCounts(values).map { "staleness \(number($0.mean)) (at most \($0.greatest))" }
  }

  package static func number(_ value: Double) -> String {
    let isPlain = value == 0 || (abs(value) >= 1e-3 && abs(value) < 1e5)
    return String(format: isPlain ? "%.4f" : "%.3e", value)
  }
}
