import Recommenders
import Tensors
import Testing

@Suite struct PairedBootstrapTests {
  /// Made-up values in 0 … 1 for a user and a seed.
  private static func value(_ user: Int, _ seed: Int, _ shift: Int) -> Double {
    Double((user * 7919 + seed * 104_729 + shift) % 101) / 100
  }

  private static func own(users: Int, seeds: Int) -> [[Double]] {
    (0..<seeds).map { seed in
      (0..<users).map { 0.8 * value($0, seed, 0) + 0.3 + 0.02 * Double(seed) }
    }
  }

  private static func baseline(users: Int, seeds: Int) -> [[Double]] {
    (0..<seeds).map { seed in
      (0..<users).map { 0.8 * value($0, seed, 0) + 0.1 * value($0, seed, 37) + 0.2 }
    }
  }

  private static func isClose(
    _ interval: ConfidenceInterval?, _ lower: Double, _ upper: Double, within tolerance: Double
  ) -> Bool {
    guard let interval else { return false }
    return abs(interval.lower - lower) <= tolerance && abs(interval.upper - upper) <= tolerance
  }

  @Test("percentiles are NumPy's")
  func percentiles() {
    let values = [0.5, -1, 2.25, 0, 3, 1.5, -0.25]
    #expect(
      Self.isClose(
        ConfidenceInterval(percentilesOf: values, confidence: 0.95), -0.8875, 2.8875, within: 1e-14)
    )
    #expect(
      Self.isClose(
        ConfidenceInterval(percentilesOf: values, confidence: 0.8), -0.55, 2.55, within: 1e-14))
  }

  /// Numbers of a Python script with the same draws: Philox by its definition, then NumPy.
  @Test("seeds and users are drawn as defined: paired seeds, separate seeds, one seed")
  func draws() throws {
    let bootstrap = PairedBootstrap(resampleCount: 200)
    let own = Self.own(users: 50, seeds: 3)
    let baseline = Self.baseline(users: 50, seeds: 3)
    let paired = try #require(bootstrap.intervals(of: own, against: baseline, seedsArePaired: true))
    #expect(
      Self.isClose(paired.relative, 0.07899532574611808, 0.14084810746955723, within: 1e-12))
    #expect(Self.isClose(paired.absolute, 0.050854, 0.08995383333333344, within: 1e-12))
    let separate = try #require(
      bootstrap.intervals(of: own, against: Array(baseline[..<2]), seedsArePaired: false))
    #expect(
      Self.isClose(separate.relative, 0.038178984201860305, 0.23521882071024489, within: 1e-12))
    let one = try #require(
      bootstrap.intervals(of: [own[0]], against: [baseline[0]], seedsArePaired: true))
    #expect(Self.isClose(one.absolute, 0.0421585, 0.0576645, within: 1e-12))
  }

  /// 40,000 resamples with other random numbers.
  @Test("the interval is that of a bootstrap with NumPy, up to the noise of its limits")
  func independent() throws {
    let intervals = try #require(
      PairedBootstrap().intervals(
        of: Self.own(users: 400, seeds: 5), against: Self.baseline(users: 400, seeds: 5),
        seedsArePaired: true))
    #expect(Self.isClose(intervals.relative, 0.1006222, 0.17603717, within: 0.0025))
  }

  @Test("with one seed the interval is the mean ± 1.96 standard errors over the users")
  func standardError() throws {
    let own = Self.own(users: 400, seeds: 1)
    let baseline = Self.baseline(users: 400, seeds: 1)
    let interval = try #require(
      PairedBootstrap().intervals(of: own, against: baseline, seedsArePaired: true)
    ).absolute
    let differences = zip(own[0], baseline[0]).map { $0 - $1 }
    let mean = differences.reduce(0, +) / 400
    let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / 399 / 400).squareRoot()
    #expect(abs((interval.lower + interval.upper) / 2 - mean) < 0.1 * error)
    #expect(abs((interval.upper - interval.lower) / (2 * 1.96 * error) - 1) < 0.05)
  }

  @Test("the same digits for any number of lanes")
  func lanes() {
    func intervals(_ count: Int) -> PairedBootstrap.Intervals? {
      Lanes.$ofScope.withValue(Lanes(count: count)) {
        PairedBootstrap(resampleCount: 110).intervals(
          of: Self.own(users: 123, seeds: 3), against: Self.baseline(users: 123, seeds: 3),
          seedsArePaired: true)
      }
    }
    #expect(intervals(1) != nil)
    #expect(intervals(1) == intervals(3))
  }

  @Test("a baseline of zeros has no relative gain, and nothing has no interval")
  func degenerate() throws {
    let bootstrap = PairedBootstrap(resampleCount: 50)
    let zero = try #require(
      bootstrap.intervals(of: [[1, 0, 1]], against: [[0, 0, 0]], seedsArePaired: true))
    #expect(zero.relative == nil && zero.absolute.upper > 0)
    #expect(bootstrap.intervals(of: [[]], against: [[]], seedsArePaired: true) == nil)
    #expect(bootstrap.intervals(of: [], against: [[1]], seedsArePaired: false) == nil)
  }

  /// Effects of users, of seeds, and of both together, in the proportions of runs on lfm2k.
  @Test("intervals hold the truth as often as promised, with three seeds and with ten")
  func coverage() {
    let bootstrap = PairedBootstrap(resampleCount: 200)
    for seeds in [3, 10] {
      var count = 0
      let trials = 150
      for trial in 0..<trials {
        let normal = Normal(trial: trial, users: 100, seeds: seeds)
        let baseline = [[Double]](repeating: [Double](repeating: 0.4, count: 100), count: seeds)
        let own = (0..<seeds).map { seed in
          (0..<100).map { user in
            0.4 + 0.08 * normal.user(user) + 0.02 * normal.seed(seed)
              + 0.18 * normal.both(user, seed)
          }
        }
        let interval = bootstrap.intervals(of: own, against: baseline, seedsArePaired: true)
        if let interval = interval?.absolute, interval.lower <= 0, interval.upper >= 0 {
          count += 1
        }
      }
      let share = Double(count) / Double(trials)
      #expect(share >= 0.92, "\(seeds) seeds: \(share)")
    }
  }

  /// Independent standard normal numbers of a trial.
  private struct Normal {
    private let users: Int
    private let values: [Float]

    init(trial: Int, users: Int, seeds: Int) {
      self.users = users
      var values = [Float](repeating: 0, count: seeds + users + users * seeds)
      let random = CounterRandom(seed: 7, stream: .generator)
      values.withUnsafeMutableBufferPointer {
        NormalDistribution.fill($0, random: random, id: trial)
      }
      self.values = values
    }

    func user(_ user: Int) -> Double { Double(values[user]) }
    func both(_ user: Int, _ seed: Int) -> Double { Double(values[users * (seed + 1) + user]) }
    func seed(_ seed: Int) -> Double { Double(values[values.count - 1 - seed]) }
  }
}

@Suite struct HolmCorrectionTests {
  /// By hand: 4 · .005, 3 · .01, 2 · .03, and .04 which may not be below the one before.
  @Test("a hand example, in the order given")
  func hand() {
    let corrected = HolmCorrection.corrected([0.01, 0.04, 0.03, 0.005])
    for (value, expected) in zip(corrected, [0.03, 0.06, 0.06, 0.02]) {
      #expect(abs(value - expected) < 1e-15)
    }
  }

  @Test("equal values stay equal, none is above 1, and one alone stays as it is")
  func limits() {
    let corrected = HolmCorrection.corrected([0.001, 0.2, 0.2, 0.9, 0.0001, 0.5])
    for (value, expected) in zip(corrected, [0.005, 0.8, 0.8, 1, 0.0006, 1]) {
      #expect(abs(value - expected) < 1e-15)
    }
    #expect(HolmCorrection.corrected([0.04]) == [0.04])
    #expect(HolmCorrection.corrected([]) == [])
  }
}
