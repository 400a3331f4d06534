import Files

/// How values are distributed, in 30 intervals of equal width between the smallest and the largest.
///
/// - Source: `HistogramProto` of TensorBoard; its own histograms have 30 intervals, too.
package struct ValueHistogram: Sendable, Equatable {
  private static let intervalCount = 30

  package let smallest: Double
  package let largest: Double
  package let count: Int
  package let sum: Double
  package let sumOfSquares: Double
  /// The upper end of each interval, `[intervals]`.
  package let limits: [Double]
  /// How many values each interval has, `[intervals]`.
  package let counts: [Double]

  /// - Returns: nil if there is no finite value; others are left out.
  package init?(_ values: [Float]) {
    let finite = values.lazy.filter(\.isFinite).map(Double.init)
    guard let smallest = finite.min(), let largest = finite.max() else { return nil }
    self.smallest = smallest
    self.largest = largest
    let width = (largest - smallest) / Double(Self.intervalCount)
    // Of equal values there is one interval.
    let intervals = width > 0 ? Self.intervalCount : 1
    var counts = [Double](repeating: 0, count: intervals)
    var (count, sum, sumOfSquares) = (0, 0.0, 0.0)
    for value in finite {
      count += 1
      sum += value
      sumOfSquares += value * value
      counts[width > 0 ? min(intervals - 1, Int((value - smallest) / width)) : 0] += 1
    }
    self.count = count
    self.sum = sum
    self.sumOfSquares = sumOfSquares
    self.counts = counts
    limits = (1...intervals).map { $0 == intervals ? largest : smallest + Double($0) * width }
  }

  func write(to writer: inout ProtobufWriter) {
    writer.double(1, smallest)
    writer.double(2, largest)
    writer.double(3, Double(count))
    writer.double(4, sum)
    writer.double(5, sumOfSquares)
    writer.doubles(6, limits)
    writer.doubles(7, counts)
  }
}
