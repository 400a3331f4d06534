/// How a set of counts is spread.
public struct CountSummary: Sendable, Equatable, Codable {
  public let minimum: Int
  /// The middle value; the mean of the two middle ones if their number is even.
  public let median: Double
  public let mean: Double
  public let maximum: Int

  /// - Precondition: `counts` is not empty.
  init(_ counts: [Int]) {
    precondition(!counts.isEmpty, "CountSummary of nothing")
    let sorted = counts.sorted()
    minimum = sorted[0]
    median = Double(sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    mean = Double(sorted.reduce(0, +)) / Double(sorted.count)
    maximum = sorted[sorted.count - 1]
  }
}
