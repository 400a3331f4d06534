internal import Foundation
import Tensors

/// How much more likely predictors are than popularity, summed over the events of each user and
/// over the folds of the items, nats.
struct UserGains {
  /// Events per user, `[U]`.
  private(set) var counts: [Int]
  /// Per modality, `[U]`.
  private(set) var alone: [[Double]]
  /// Per pair without interactions between its modalities, `[U]`.
  private(set) var additive: [[Double]]
  /// Per pair with interactions, `[U]`.
  private(set) var together: [[Double]]
  /// Per pair all events.
  private(set) var choices: [[OtherRedundancies.Choice]]
  /// −ln p of a uniform guess, summed over all events.
  private(set) var uniform = 0.0
  /// −ln p by popularity, summed over all events.
  private(set) var popularity = 0.0

  init(userCount: Int, modalities: Int, pairs: Int) {
    let zeros = [Double](repeating: 0, count: userCount)
    counts = [Int](repeating: 0, count: userCount)
    alone = [[Double]](repeating: zeros, count: modalities)
    additive = [[Double]](repeating: zeros, count: pairs)
    together = additive
    choices = [[OtherRedundancies.Choice]](repeating: [], count: pairs)
  }

  /// Fits all predictors on the items of a fold and adds what they gain on its held-out items.
  ///
  /// - Parameter onStep: called before every step with what is fitted, and whether that is a new
  ///   predictor; throws to stop.
  mutating func measure(
    _ fold: ChoiceFold, pairs: [(first: Int, second: Int)], seed: UInt64,
    onStep: (_ stage: String, _ isNew: Bool) throws -> Void
  ) throws {
    let data = fold.heldOut
    let users = ChoiceData.users(of: data.measured)
    let baseline = ChoicePredictor.popularity(data)
    func measure(_ predictor: ChoicePredictor) -> [[Double]] {
      predictor.logLikelihoods(of: data.measured, users: users, data)
    }
    let base = measure(baseline)
    func gains(_ predictor: ChoicePredictor) -> [[Double]] {
      zip(measure(predictor), base).map { values, base in zip(values, base).map { $0 - $1 } }
    }
    func fit(
      _ blocks: [ChoiceProbe.Block], from start: [ChoiceProbe], against smaller: ChoicePredictor,
      _ stage: String
    ) throws -> (probe: ChoiceProbe, predictor: ChoicePredictor) {
      let probe = ChoiceProbe(
        blocks, codes: fold.codes, startingFrom: start,
        popularityWeight: baseline.popularityWeight, seed: seed)
      var isNew = true
      let predictor = try probe.fit(fold, ChoiceProbe.Fitting(seed: seed)) {
        try onStep(stage, isNew)
        isNew = false
      }
      return (probe, smaller.bestPool(with: predictor, on: data))
    }

    for (row, user) in users.enumerated() {
      let count = data.measured.degree(user)
      counts[user] += count
      uniform += Double(count) * log(Double(max(1, data.itemCount - data.histories.degree(user))))
      popularity -= base[row].reduce(0, +)
    }
    func add(_ gains: [[Double]], to sums: inout [Double]) {
      for (row, user) in users.enumerated() { sums[user] += gains[row].reduce(0, +) }
    }
    let singles = try fold.codes.indices.map { modality in
      let fit = try fit(
        [.linear(modality), .product(modality, modality)], from: [], against: baseline,
        fold.codes[modality].name)
      return (fit.probe, fit.predictor, gains: gains(fit.predictor))
    }
    for (modality, single) in singles.enumerated() { add(single.gains, to: &alone[modality]) }
    for (index, pair) in pairs.enumerated() {
      let (first, second) = (singles[pair.first], singles[pair.second])
      let name = "\(fold.codes[pair.first].name) and \(fold.codes[pair.second].name)"
      let better = first.1.validation(data) >= second.1.validation(data) ? first.1 : second.1
      let blocks = [pair.first, pair.second].flatMap { modality in
        [ChoiceProbe.Block.linear(modality), .product(modality, modality)]
      }
      let both = try fit(blocks, from: [first.0, second.0], against: better, name)
      let joint = try fit(
        blocks + [.product(pair.first, pair.second)], from: [both.probe], against: both.predictor,
        "\(name), combined")
      add(gains(both.predictor), to: &additive[index])
      let all = gains(joint.predictor)
      add(all, to: &together[index])
      for (row, user) in users.enumerated() {
        for (event, item) in data.measured[user].enumerated() {
          choices[index].append(
            .init(
              item: fold.heldOutItems[Int(item)], first: first.gains[row][event],
              second: second.gains[row][event], together: all[row][event]))
        }
      }
    }
  }
}
