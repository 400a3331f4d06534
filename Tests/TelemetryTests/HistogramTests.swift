import Telemetry
import Testing

@Suite("Histograms")
struct HistogramTests {
  @Test("a value falls into the first range that reaches it")
  func ranges() {
    var histogram = Histogram(bounds: [1, 2])
    for value in [0, 1, 1.5, 2, 2.1, 100] { histogram.observe(value) }
    #expect(histogram.counts == [2, 2, 2])
    #expect(histogram.count == 6)
    #expect(histogram.sum == 106.6)
  }

  @Test("what is not a number is counted and not added up")
  func notANumber() {
    var histogram = Histogram.ofDurations
    histogram.observe(.nan)
    histogram.observe(.infinity)
    histogram.observe(0.02)
    #expect(histogram.counts.last == 2)
    #expect(histogram.sum == 0.02)
  }

  @Test("ranges ascend")
  func ascending() {
    for histogram in [Histogram.ofDurations, .ofCounts] {
      #expect(zip(histogram.bounds, histogram.bounds.dropFirst()).allSatisfy(<))
    }
  }
}
