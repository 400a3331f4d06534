import Foundation
import ParameterServer
import Tables
import TestSupport
import Testing

@Suite("Adam in closed form") struct ClosedAdamTests {
  private static let rate = 0.001
  private static let width = 20

  private static func cluster(_ mode: Adam.Mode, rows: Int = 12) throws -> TestCluster {
    try TestCluster(
      [
        TableSpec(
          name: "w", rows: rows, width: width, initializer: .normal(standardDeviation: 0.02))
      ], kind: Adam(mode: mode), rate: LearningRate(rate, decay: 0.7, period: 2),
      schedule: StepSchedule(stepsPerEpoch: 100))
  }

  /// Gradients of rows that are touched with probabilities from once in two to once in 300 steps.
  private static func gradient(_ random: inout SeededGenerator, rows: Int = 12) -> RowValues {
    var touched: [Int: [Float]] = [:]
    for row in 0..<rows {
      guard Int.random(in: 0..<(2 + row * row * 2), using: &random) == 0 else { continue }
      touched[row] = random.values(width, in: -0.01...0.01)
    }
    return [0: touched]
  }

  @Test("is dense Adam but for 1e-6, over hundreds of steps with gaps", arguments: [1, 2, 3])
  func equalsDense(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var dense = try Self.cluster(.dense)
    var closed = try Self.cluster(.closed)
    var largest: Float = 0
    for version in 0..<UInt64(600) {
      let gradient = Self.gradient(&random)
      dense.pushEverywhere(gradient, version: version)
      closed.pushEverywhere(gradient, version: version)
      guard version % 50 == 49 else { continue }
      let left = try dense.pullAll(version: version + 1)[0]
      let right = try closed.pullAll(version: version + 1)[0]
      for (x, y) in zip(left, right) { largest = max(largest, abs(x - y)) }
    }
    #expect(largest < 1e-6, "\(largest)")
    // Not by standing still: a lazy table is far away.
    #expect(largest > 0)
  }

  @Test(
    "one gap is the sum of its steps in double precision",
    arguments: [1, 5, 100, 1000], [1, 2, 10, 100, 1000] as [UInt64])
  func gap(start: UInt64, gap: UInt64) throws {
    // Until √v is about 1e-8 · √(1 − β₂ᵗ): gradients of 1e-7 and less hardly occur.
    for gradient in [1e-5, 1e-3, 1.0] as [Double] {
      var cluster = try TestCluster(
        [TableSpec(name: "w", rows: 1, width: 1, initializer: .constant(0))],
        kind: Adam(mode: .closed), rate: LearningRate(Self.rate))
      var (w, m, v) = (0.0, 0.0, 0.0)
      for number in 1...(start + gap) {
        let isTouched = number == start
        cluster.pushEverywhere(
          isTouched ? [0: [0: [Float(gradient)]]] : [:], version: number - 1)
        let g = isTouched ? Double(Float(gradient)) : 0
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        w -=
          Self.rate / (1 - pow(0.9, Double(number))) * m
          / ((v / (1 - pow(0.999, Double(number)))).squareRoot() + 1e-8)
      }
      let found = Double(try cluster.pullAll(version: start + gap)[0][0])
      #expect(abs(found - w) < 1e-6 * max(abs(w), Self.rate), "\(gradient): \(found), not \(w)")
    }
  }

  @Test("reading a row does not change what comes later")
  func readingIsNeutral() throws {
    var random = SeededGenerator(seed: 9)
    var often = try Self.cluster(.closed)
    var once = often
    for version in 0..<UInt64(120) {
      let gradient = Self.gradient(&random)
      often.pushEverywhere(gradient, version: version)
      once.pushEverywhere(gradient, version: version)
      _ = try often.pullAll(version: version + 1)
    }
    #expect(try often.pullAll(version: 120) == once.pullAll(version: 120))
  }

  @Test("moments whose terms do not decay are refused", arguments: [0.9995, 0.999, 0.998])
  func refusesSlowDecay(beta1: Double) {
    let error = #expect(throws: ParameterServerError.self) {
      try Adam(beta1: beta1, mode: .closed).validate()
    }
    #expect(error?.message.contains("lazy_exact") == true)
    #expect(throws: Never.self) { try Adam(beta1: beta1, mode: .lazyExact).validate() }
    #expect(throws: Never.self) { try Adam(beta1: 0, mode: .closed).validate() }
  }
}
