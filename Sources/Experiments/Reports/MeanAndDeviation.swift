import Foundation

/// The mean of some values and how far they spread.
public struct MeanAndDeviation: Sendable, Equatable, Encodable {
  public let mean: Double
  /// The sample standard deviation (divisor n − 1); nil for a single value.
  public let deviation: Double?
  /// n.
  public let count: Int

  /// Nil without values.
  public init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    count = values.count
    let mean = values.reduce(0, +) / Double(values.count)
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil
  }

  /// `0.1745 ± 0.0021`, or without the deviation if there is none.
  public var text: String {
    let mean = String(format: "%.4f", mean)
    return deviation.map { mean + String(format: " ± %.4f", $0) } ?? mean
  }
}
