import Datasets
internal import Foundation
import Tensors

/// A measured number with the middle 95 % of its values over resamples of users.
package struct Estimate: Sendable, Equatable, Encodable {
  package let value: Double
  package let low: Double
  package let high: Double

  package init(value: Double, low: Double, high: Double) {
    self.value = value
    self.low = low
    self.high = high
  }
}

/// Held-out information of modalities about choices, nats per choice, beyond popularity.
package struct PreferenceInformation: Sendable {
  /// Two modalities.
  package struct Pair: Sendable {
    /// Positions among the codes.
    package let modalities: (first: Int, second: Int)
    package let redundant: Estimate
    package let uniqueFirst: Estimate
    package let uniqueSecond: Estimate
    package let synergistic: Estimate
    package let together: Estimate
    package let atoms: InformationAtoms
    package let otherRedundancies: OtherRedundancies
  }

  /// Users with events.
  package let userCount: Int
  /// Events.
  package let choiceCount: Int
  /// −ln p of a uniform guess among the candidates, mean over events.
  package let uniformNats: Double
  /// −ln p by popularity.
  package let popularityNats: Double
  /// Per modality.
  package let alone: [Estimate]
  /// All pairs, in the order of the codes.
  package let pairs: [Pair]

  /// Fits the predictors and measures them.
  ///
  /// - Parameters:
  ///   - codes: all modalities, one row per item.
  ///   - progress: called before every step with what is fitted and the share that is done; throws
  ///     to stop.
  /// - Throws: what `progress` throws.
  /// - Precondition: the data has events to validate on and to measure.
  package init(
    _ codes: [ModalityCodes], _ data: ChoiceData, seed: UInt64,
    progress: (_ stage: String, _ share: Double) throws -> Void = { _, _ in }
  ) throws {
    let codes = codes.map(\.standardized)
    precondition(codes.allSatisfy { $0.vectors.rows == data.itemCount }, "codes of other items")
    let pairs = codes.indices.flatMap { first in
      (first + 1..<max(first + 1, codes.count)).map { (first: first, second: $0) }
    }
    let fitCount = Double(codes.count + 2 * pairs.count)
    var fitted = 0.0
    let popularity = ChoicePredictor.popularity(data)
    func fit(
      _ blocks: [ChoiceProbe.Block], from start: [ChoiceProbe], against smaller: ChoicePredictor,
      _ stage: String
    ) throws -> (probe: ChoiceProbe, predictor: ChoicePredictor) {
      let probe = ChoiceProbe(
        blocks, codes: codes, startingFrom: start,
        popularityWeight: popularity.popularityWeight, seed: seed)
      let predictor = try probe.fit(data, ChoiceProbe.Fitting(seed: seed)) {
        try progress(stage, fitted / fitCount)
      }
      fitted += 1
      return (probe, smaller.bestPool(with: predictor, on: data))
    }

    let users = ChoiceData.users(of: data.measured)
    func measure(_ predictor: ChoicePredictor) -> [[Double]] {
      predictor.logLikelihoods(of: data.measured, users: users, data)
    }
    let baseline = measure(popularity)
    let singles = try codes.indices.map { modality in
      let fit = try fit(
        [.linear(modality), .product(modality, modality)], from: [], against: popularity,
        codes[modality].name)
      return (fit.probe, fit.predictor, measured: measure(fit.predictor))
    }
    let resamples = UserResamples(
      counts: baseline.map(\.count), seed: seed)
    userCount = users.count
    choiceCount = baseline.reduce(0) { $0 + $1.count }
    let choices = Double(max(1, choiceCount))
    uniformNats =
      users.reduce(0) { sum, user in
        sum + Double(data.measured.degree(user))
          * log(Double(max(1, data.itemCount - data.histories.degree(user))))
      } / choices
    popularityNats = -baseline.joined().reduce(0, +) / choices
    func gains(_ measured: [[Double]]) -> [Double] {
      zip(measured, baseline).map { $0.reduce(0, +) - $1.reduce(0, +) }
    }
    alone = singles.map { resamples.estimate([gains($0.measured)]) { $0[0] } }
    self.pairs = try pairs.map { first, second in
      let names = "\(codes[first].name) and \(codes[second].name)"
      let better =
        singles[first].1.validation(data) >= singles[second].1.validation(data) ? first : second
      let additive = try fit(
        [first, second].flatMap { [.linear($0), .product($0, $0)] },
        from: [singles[first].0, singles[second].0], against: singles[better].1, names)
      let joint = try fit(
        [first, second].flatMap { [.linear($0), .product($0, $0)] } + [.product(first, second)],
        from: [additive.probe], against: additive.predictor, "\(names), combined")
      let together = measure(joint.predictor)
      let sums = [
        gains(singles[first].measured), gains(singles[second].measured),
        gains(measure(additive.predictor)), gains(together),
      ]
      func atoms(_ means: [Double]) -> InformationAtoms {
        InformationAtoms(
          first: means[0], second: means[1], additive: means[2], together: means[3])
      }
      func estimate(_ part: (InformationAtoms) -> Double) -> Estimate {
        resamples.estimate(sums) { part(atoms($0)) }
      }
      var listed: [OtherRedundancies.Choice] = []
      for (row, user) in users.enumerated() {
        for (index, item) in data.measured[user].enumerated() {
          let base = baseline[row][index]
          listed.append(
            .init(
              item: item, first: singles[first].measured[row][index] - base,
              second: singles[second].measured[row][index] - base,
              together: together[row][index] - base))
        }
      }
      return Pair(
        modalities: (first, second), redundant: estimate(\.redundant),
        uniqueFirst: estimate(\.uniqueFirst), uniqueSecond: estimate(\.uniqueSecond),
        synergistic: estimate(\.synergistic), together: estimate(\.together),
        atoms: atoms(sums.map { $0.reduce(0, +) / choices }),
        otherRedundancies: OtherRedundancies(listed))
    }
  }
}

/// Resamples of users with replacement, the same for all numbers of a decomposition.
private struct UserResamples {
  private static let count = 1000

  /// Events of each user.
  private let counts: [Int]
  private let seed: UInt64

  init(counts: [Int], seed: UInt64) {
    self.counts = counts
    self.seed = seed
  }

  /// A function of means over events, with its interval.
  ///
  /// - Parameters:
  ///   - sums: per quantity the sums over each user's events.
  ///   - function: of the means of all quantities over the events of a sample.
  func estimate(_ sums: [[Double]], _ function: ([Double]) -> Double) -> Estimate {
    func value(_ users: some Sequence<Int>) -> Double {
      var totals = [Double](repeating: 0, count: sums.count)
      var events = 0
      for user in users {
        events += counts[user]
        for (quantity, values) in sums.enumerated() { totals[quantity] += values[user] }
      }
      return function(totals.map { $0 / Double(max(1, events)) })
    }
    let random = CounterRandom(
      seed: seed, stream: .decomposition, epoch: DecompositionDraw.resample.rawValue)
    let sampled = (0..<Self.count).map { sample in
      value(
        counts.indices.lazy.map { random.integer(below: counts.count, id: sample, index: $0) })
    }.sorted()
    // Of 1,000 values, 25 lie below and 25 above.
    return Estimate(
      value: value(counts.indices), low: sampled[Self.count / 40],
      high: sampled[Self.count - 1 - Self.count / 40])
  }
}
