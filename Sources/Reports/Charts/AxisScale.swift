internal import Foundation

/// The range of an axis and where its ticks are: multiples of 1, 2 or 5 times a power of ten.
package struct AxisScale: Sendable, Equatable {
  package let lower: Double
  package let upper: Double
  /// Ascending, within the range.
  package let ticks: [Double]
  private let step: Double

  /// The smallest range between ticks that covers some values.
  ///
  /// - Parameters:
  ///   - values: those that are not finite are ignored.
  ///   - count: about how many ticks are wanted.
  ///   - isWhole: whether values between whole numbers make no sense, as with epochs.
  ///   - isTight: whether the range ends at the values, not at ticks.
  package init(
    covering values: some Sequence<Double>, about count: Int = 5, isWhole: Bool = false,
    isTight: Bool = false
  ) {
    let finite = values.filter { $0.isFinite && abs($0) < 1e100 }
    var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
    if high - low <= max(abs(low), abs(high)) * 1e-9 {
      // Equal values have a range around them.
      let margin = isWhole || low == 0 ? 0 : abs(low) * 0.1
      (low, high) = (low - margin, high + (margin == 0 ? 1 : margin))
    }
    let rough = (high - low) / Double(max(1, count))
    let power = pow(10, log10(rough).rounded(.down))
    let factor = [1.0, 2, 5, 10].first { $0 * power >= rough * 0.999 } ?? 10
    let step = isWhole ? max(1, (factor * power).rounded()) : factor * power
    self.step = step
    let first = (low / step + (isTight ? -1e-9 : 1e-9)).rounded(isTight ? .up : .down)
    let last = (high / step + (isTight ? 1e-9 : -1e-9)).rounded(isTight ? .down : .up)
    ticks = stride(from: first, through: last, by: 1).map { $0 * step }
    lower = isTight ? low : first * step
    upper = isTight ? high : last * step
  }

  /// A tick as text, with as many decimals as ticks need to differ.
  package func label(_ value: Double) -> String {
    let largest = max(abs(lower), abs(upper))
    if largest >= 1e6 || largest < 1e-4 { return String(format: "%.1e", value) }
    let decimals = max(0, Int(-(log10(step) + 1e-9).rounded(.down)))
    let text = String(format: "%.\(min(decimals, 8))f", value == 0 ? 0 : value)
    return text.replacing("-", with: "−")
  }

  /// The position of a value, 0 at the lower end and 1 at the upper one.
  package func position(_ value: Double) -> Double {
    upper > lower ? (value - lower) / (upper - lower) : 0.5
  }
}
