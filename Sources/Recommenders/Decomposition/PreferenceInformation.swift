import Datasets
internal import Foundation
import Tensors

/// A measured number with the middle 95 % of its values over resamples of users.
package struct Estimate: Sendable, Equatable, Codable {
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

  /// Fits the predictors and measures them, once per fold of the items.
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
    let folds = ItemFolds(count: data.itemCount, foldCount: ChoiceFold.count, seed: seed)
    var gains = UserGains(userCount: data.userCount, modalities: codes.count, pairs: pairs.count)
    for index in 0..<ChoiceFold.count {
      var fitted = 0.0
      let perFold = Double(codes.count + 2 * pairs.count)
      try gains.measure(ChoiceFold(index, of: folds, codes, data), pairs: pairs, seed: seed) {
        stage, isNew in
        if isNew { fitted += 1 }
        let done = Double(index) + max(0, fitted - 1) / perFold
        try progress(stage, done / Double(ChoiceFold.count))
      }
    }
    let users = gains.counts.indices.filter { gains.counts[$0] > 0 }
    func kept(_ sums: [Double]) -> [Double] { users.map { sums[$0] } }
    let resamples = UserResamples(counts: users.map { gains.counts[$0] }, seed: seed)
    userCount = users.count
    choiceCount = gains.counts.reduce(0, +)
    let choices = Double(max(1, choiceCount))
    uniformNats = gains.uniform / choices
    popularityNats = gains.popularity / choices
    alone = gains.alone.map { sums in resamples.estimate([kept(sums)]) { $0[0] } }
    self.pairs = pairs.indices.map { index in
      let (first, second) = pairs[index]
      let sums = [
        gains.alone[first], gains.alone[second], gains.additive[index], gains.together[index],
      ].map(kept)
      func atoms(_ means: [Double]) -> InformationAtoms {
        InformationAtoms(
          first: means[0], second: means[1], additive: means[2], together: means[3])
      }
      func estimate(_ part: (InformationAtoms) -> Double) -> Estimate {
        resamples.estimate(sums) { part(atoms($0)) }
      }
      return Pair(
        modalities: (first, second), redundant: estimate(\.redundant),
        uniqueFirst: estimate(\.uniqueFirst), uniqueSecond: estimate(\.uniqueSecond),
        synergistic: estimate(\.synergistic), together: estimate(\.together),
        atoms: atoms(sums.map { $0.reduce(0, +) / choices }),
        otherRedundancies: OtherRedundancies(gains.choices[index]))
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
    }
    let interval = ConfidenceInterval(percentilesOf: sampled, confidence: 0.95)
    return Estimate(value: value(counts.indices), low: interval.lower, high: interval.upper)
  }
}
