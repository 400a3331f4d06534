internal import ForeignText
import Foundation

extension DatasetStatistics {
  /// The figures as lines for a terminal.
  public var lines: [String] {
    var lines = [
      Self.line("data set", "\(name) (digest \(digest))"),
      Self.line("users", "\(users)"),
      Self.line("items", "\(items), \(coldItems) of them without training interactions"),
      Self.line("interactions", "\(interactions) (density \(Self.percent(density)))"),
      Self.line("train / valid / test", "\(train) / \(valid) / \(test)"),
      Self.line("train per user", Self.text(trainPerUser)),
      Self.line("train per item", Self.text(trainPerItem)),
    ]
    if dropped.users > 0 {
      lines.append(
        Self.line(
          "dropped",
          "\(dropped.users) users without training interactions, with \(dropped.valid) in valid "
            + "and \(dropped.test) in test"))
    }
    for feature in features {
      let zeros = feature.zeroRows > 0 ? ", \(feature.zeroRows) rows all zero" : ""
      lines.append(
        Self.line("features \(feature.name)", "\(feature.rows) × \(feature.columns)\(zeros)"))
    }
    return lines.map { $0.printable() }
  }

  private static func line(_ label: String, _ value: String) -> String {
    label + String(repeating: " ", count: max(1, 22 - label.count)) + value
  }

  private static func percent(_ share: Double) -> String {
    String(format: "%.4f %%", share * 100)
  }

  private static func text(_ summary: CountSummary) -> String {
    String(
      format: "min %d, median %.1f, mean %.2f, max %d", summary.minimum, summary.median,
      summary.mean, summary.maximum)
  }
}
