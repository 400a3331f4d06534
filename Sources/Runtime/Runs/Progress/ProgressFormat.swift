import Coordinator
import Foundation
import Protocol

/// Formats numbers and times for progress lines and tables.
package enum ProgressFormat {
  /// `1 worker`, `2 workers`.
  package static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  /// `12s`, `3m05s`, `2h07m`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole)s" }
    if whole < 3600 { return String(format: "%dm%02ds", whole / 60, whole % 60) }
    return String(format: "%dh%02dm", whole / 3600, whole % 3600 / 60)
  }

  /// `0.04s`, `3m05s`: a measured time.
  static func precise(_ seconds: Double) -> String {
    seconds >= 0 && seconds < 10 ? String(format: "%.2fs", seconds) : duration(seconds)
  }

  /// `95 s`, `12m05s`: the time left of a wait, in which seconds are counted.
  static func countdown(_ seconds: Double) -> String {
    guard seconds >= 0, seconds < 300 else { return duration(seconds) }
    return "\(Int(seconds.rounded())) s"
  }

  /// At most three digits and a unit: `95s`, `14m`, `47h`, `12d`.
  static func roughly(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "?" }
    let units: [(seconds: Double, name: String)] = [(1, "s"), (60, "m"), (3600, "h")]
    for unit in units where (seconds / unit.seconds).rounded() < 100 {
      return "\(Int((seconds / unit.seconds).rounded()))\(unit.name)"
    }
    let days = (seconds / 86_400).rounded()
    return days < 1000 ? "\(Int(days))d" : "999d"
  }

  /// `2m-14m`; `2m` if both ends are the same.
  static func roughly(_ range: ClosedRange<Double>) -> String {
    let (least, most) = (roughly(range.lowerBound), roughly(range.upperBound))
    return least == most ? most : "\(least)-\(most)"
  }

  /// `812`, `45.1k`, `1.32M`.
  static func rate(_ value: Double) -> String {
    if value >= 1e6 { return String(format: "%.2fM", value / 1e6) }
    if value >= 1e4 { return String(format: "%.1fk", value / 1e3) }
    return String(format: "%.0f", value)
  }

  /// At most four digits and a unit: `812`, `9999`, `45k`, `1.3M`.
  static func short(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "?" }
    if value.rounded() < 1e4 { return String(format: "%.0f", value) }
    if value < 999_500 { return String(format: "%.0fk", value / 1e3) }
    return String(format: value < 9.95e6 ? "%.1fM" : "%.0fM", value / 1e6)
  }

  /// Four decimals below 1, four digits above: `.4123`, `12.35`, `1.23e6`. At most six characters,
  /// and a minus.
  package static func compact(_ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    let size = abs(value)
    if value != 0, size < 5e-5 || size >= 99_999.5 { return exponential(value) }
    if size < 0.99995 {
      return String(format: "%.4f", value).replacingOccurrences(of: "0.", with: ".")
    }
    let decimals = size < 9.9995 ? 3 : size < 99.995 ? 2 : size < 999.95 ? 1 : 0
    return String(format: "%.\(decimals)f", value)
  }

  /// `1.23e6`, `2e-5`.
  private static func exponential(_ value: Double) -> String {
    let text = String(format: abs(value) < 1 ? "%.0e" : "%.2e", value)
    return text.replacing(/e([+-])0*/) { $0.1 == "-" ? "e-" : "e" }
  }

  package static func number(_ value: Double) -> String {
    let isPlain = value == 0 || (abs(value) >= 1e-3 && abs(value) < 1e5)
    return String(format: isPlain ? "%.4f" : "%.3e", value)
  }

  /// `staleness 0.43 (at most 2)`; nil where it was not counted.
  static func staleness(_ values: [String: Double]) -> String? {
    StalenessCounts(values).map { "staleness \(number($0.mean)) (at most \($0.greatest))" }
  }
}
