/// Counts of observed values in fixed ranges, with their sum. A value: the thread that observes has
/// it, and others get copies.
package struct Histogram: Sendable, Equatable {
  /// The greatest value of each range, ascending; one more range has no limit.
  package let bounds: [Double]
  /// How many values fell into each range, `[bounds + 1]`.
  package private(set) var counts: [UInt64]
  package private(set) var sum = 0.0

  package init(bounds: [Double]) {
    self.bounds = bounds
    counts = [UInt64](repeating: 0, count: bounds.count + 1)
  }

  /// Of durations in seconds, from a tenth of a millisecond to five minutes.
  package static let ofDurations = Histogram(bounds: [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    30, 60, 300,
  ])

  /// Of small whole numbers, such as versions of staleness.
  package static let ofCounts = Histogram(bounds: [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 1024])

  /// How many values were observed.
  package var count: UInt64 { counts.reduce(0, +) }

  /// Counts a value. One that is not a number falls into the last range, and is not added up.
  package mutating func observe(_ value: Double) {
    counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
    if value.isFinite { sum += value }
  }
}
