internal import Foundation

/// Numbers as reports write them.
enum Numbers {
  /// A metric, four decimals as everywhere in this project.
  static func metric(_ value: Double?) -> String {
    value.map { String(format: "%.4f", $0) } ?? "–"
  }

  /// Three or four significant digits.
  static func short(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    let size = abs(value)
    if value != 0, size < 0.001 || size >= 100_000 { return String(format: "%.2e", value) }
    return String(format: size >= 100 ? "%.1f" : size >= 1 ? "%.3f" : "%.4f", value)
  }

  static func percent(_ share: Double, decimals: Int = 1) -> String {
    String(format: "%.\(decimals)f %%", share * 100)
  }

  /// A large number with its digits in groups of three.
  static func count(_ value: Int) -> String {
    var groups: [String] = []
    var rest = value.magnitude
    while rest >= 1000 {
      groups.insert(String(format: "%03d", Int(rest % 1000)), at: 0)
      rest /= 1000
    }
    return (value < 0 ? "−" : "") + (["\(rest)"] + groups).joined(separator: "\u{202F}")
  }

  static func cosine(_ value: Double) -> String { String(format: "%.2f", value) }

  static func tenths(_ value: Double) -> String { String(format: "%.1f", value) }

  static func nats(_ value: Double) -> String { String(format: "%.3f", value) }

  static func bytes(_ value: UInt64) -> String {
    String(format: "%.1f GiB", Double(value) / 1_073_741_824)
  }
}
