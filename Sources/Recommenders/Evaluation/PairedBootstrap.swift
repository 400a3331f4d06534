import Tensors

/// An interval that holds the truth with some confidence.
public struct ConfidenceInterval: Sendable, Equatable, Codable {
  public let lower: Double
  public let upper: Double

  public init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = upper
  }

  /// The percentile interval of a bootstrap: the quantiles (1 − c)/2 and (1 + c)/2 of a statistic's
  /// values over the resamples, between two values by linear interpolation.
  ///
  /// - Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13; the
  ///   quantiles are those of NumPy's default.
  /// - Precondition: `values` is not empty and finite, and 0 < `confidence` < 1.
  public init(percentilesOf values: [Double], confidence: Double) {
    precondition(!values.isEmpty && confidence > 0 && confidence < 1)
    let sorted = values.sorted()
    func quantile(_ share: Double) -> Double {
      let position = share * Double(sorted.count - 1)
      let below = Int(position)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
    }
    self.init(lower: quantile((1 - confidence) / 2), upper: quantile((1 + confidence) / 2))
  }
}

/// Intervals for the difference between two systems that were trained with several seeds and
/// measured on the same users.
///
/// A resample draws seeds with replacement, then users with replacement, as many as there are of
/// each. A user who is drawn counts with all seeds drawn, and the same users and seeds are drawn
/// for both systems: users and seeds are crossed, so neither is a part of the other. In each
/// resample the difference of the means is taken; the interval is that of its percentiles.
///
/// It says how far the result may be from that of other users *and* other seeds. Simulated (400
/// users, effects of users, seeds and their interaction as in runs on lfm2k) it holds the truth in
/// 94 to 99 of 100 cases for 2 to 10 seeds: noise of user and seed together counts up to three
/// times. If seeds are nearly all the noise, a few of them show too little of it: 71, 85 and 90 of
/// 100 cases for 3, 5 and 10 seeds. With one seed it is an interval over users alone.
///
/// All draws are named by a counter, so the digits are the same in every process and for any number
/// of lanes.
///
/// - Source: Owen 2007, "The pigeonhole bootstrap", doi:10.1214/07-AOAS122, for crossed factors.
public struct PairedBootstrap: Sendable {
  /// How many resamples are drawn: the limits of an interval then vary by about a sixtieth of its
  /// width.
  public static let standardResampleCount = 2000

  public let resampleCount: Int
  /// The share of intervals that are to hold the truth.
  public let confidence: Double
  private let seed: UInt64

  /// - Precondition: `resampleCount > 0` and 0 < `confidence` < 1.
  public init(
    resampleCount: Int = standardResampleCount, confidence: Double = 0.95, seed: UInt64 = 0
  ) {
    precondition(resampleCount > 0 && confidence > 0 && confidence < 1)
    self.resampleCount = resampleCount
    self.confidence = confidence
    self.seed = seed
  }

  /// The intervals of a difference.
  public struct Intervals: Sendable, Equatable {
    /// Of own mean / baseline's mean − 1; nil if the baseline's mean is 0 in any resample.
    public let relative: ConfidenceInterval?
    /// Of own mean − baseline's mean.
    public let absolute: ConfidenceInterval
  }

  /// What is drawn; part of a draw's name.
  private enum Draw: Int {
    case users
    case seeds
    case seedsOfBaseline
  }

  /// - Parameters:
  ///   - own: for each seed the values of all users, `[S, n]`.
  ///   - baseline: the same of the other system, `[S', n]`, users in the same order.
  ///   - seedsArePaired: whether both have the same seeds in the same order, which are then drawn
  ///     together; else each system's seeds are drawn by themselves.
  /// - Returns: nil without users or seeds.
  /// - Precondition: all seeds have as many users, fewer than 2³¹; all values are finite; paired
  ///   seeds are as many.
  public func intervals(
    of own: [[Double]], against baseline: [[Double]], seedsArePaired: Bool
  ) -> Intervals? {
    guard let userCount = own.first?.count, userCount > 0, !baseline.isEmpty else { return nil }
    precondition((own + baseline).allSatisfy { $0.count == userCount } && userCount <= Int32.max)
    precondition(!seedsArePaired || own.count == baseline.count)
    let means = userMeans(own + baseline)
    let width = own.count + baseline.count
    var relative: [Double] = []
    var absolute: [Double] = []
    for resample in 0..<resampleCount {
      let row = means[resample * width..<(resample + 1) * width]
      let ownMean = seedMean(row.prefix(own.count), resample, .seeds)
      let baselineMean = seedMean(
        row.suffix(baseline.count), resample, seedsArePaired ? .seeds : .seedsOfBaseline)
      absolute.append(ownMean - baselineMean)
      if baselineMean > 0 { relative.append(ownMean / baselineMean - 1) }
    }
    return Intervals(
      relative: relative.count == resampleCount
        ? ConfidenceInterval(percentilesOf: relative, confidence: confidence) : nil,
      absolute: ConfidenceInterval(percentilesOf: absolute, confidence: confidence))
  }

  /// The mean over seeds that are drawn.
  private func seedMean(_ means: ArraySlice<Double>, _ resample: Int, _ draw: Draw) -> Double {
    let random = random(resample, draw)
    var sum = 0.0
    for position in 0..<means.count {
      sum += means[means.startIndex + random.integer(below: means.count, id: position)]
    }
    return sum / Double(means.count)
  }

  private func random(_ resample: Int, _ draw: Draw) -> CounterRandom {
    CounterRandom(seed: seed, stream: .bootstrap, epoch: draw.rawValue, step: resample)
  }

  /// The mean of every column over the users that each resample draws, `[resamples, columns]`.
  private func userMeans(_ columns: [[Double]]) -> [Double] {
    let width = columns.count
    let userCount = columns[0].count
    // A row per user, so that what a drawn user adds lies together.
    var rows = [Double](repeating: 0, count: userCount * width)
    for (column, values) in columns.enumerated() {
      for (user, value) in values.enumerated() { rows[user * width + column] = value }
    }
    // Few blocks, because each has counts of its own.
    let blockSize = 25
    let blockCount = (resampleCount + blockSize - 1) / blockSize
    return [Double](unsafeUninitializedCapacity: resampleCount * width) { buffer, count in
      buffer.initialize(repeating: 0)
      count = buffer.count
      let means = buffer
      rows.withUnsafeBufferPointer { rows in
        Lanes.current.forEach(blockCount) { block, _ in
          var counts = [Int32](repeating: 0, count: userCount)
          for resample in block * blockSize..<min((block + 1) * blockSize, resampleCount) {
            countUsers(drawnIn: resample, &counts)
            let sums = UnsafeMutableBufferPointer(
              rebasing: means[resample * width..<(resample + 1) * width])
            Self.add(rows, weightedBy: counts, to: sums)
            for column in 0..<width { sums[column] /= Double(userCount) }
          }
        }
      }
    }
  }

  /// Sets how often each user is drawn: one word of 32 bits per draw, whose bias is below n / 2³².
  private func countUsers(drawnIn resample: Int, _ counts: inout [Int32]) {
    let random = random(resample, .users)
    let userCount = counts.count
    for user in 0..<userCount { counts[user] = 0 }
    for first in stride(from: 0, to: userCount, by: 4) {
      let words = random.words(id: first / 4)
      for lane in 0..<min(4, userCount - first) {
        counts[Int((UInt64(words[lane]) * UInt64(userCount)) >> 32)] += 1
      }
    }
  }

  /// Adds count times its row for every user, users ascending.
  private static func add(
    _ rows: UnsafeBufferPointer<Double>, weightedBy counts: [Int32],
    to sums: UnsafeMutableBufferPointer<Double>
  ) {
    let width = sums.count
    for (user, count) in counts.enumerated() where count > 0 {
      let weight = Double(count)
      let row = UnsafeBufferPointer(rebasing: rows[user * width..<(user + 1) * width])
      for column in 0..<width { sums[column] += weight * row[column] }
    }
  }
}
