internal import Foundation
import Tensors

/// What is to be known of a generated data set's test interactions, in nats per interaction: the
/// truth that `mrdib decompose` is checked against.
///
/// It is the gain in ln p over a uniform guess, of an observer who knows the generative model and
/// each user's taste p_u, and of the items the features of one or both modalities. Candidates are
/// all items but the user's training items. With β = sharpness / ‖w‖ the observer's score of an
/// item is ln E[exp(β ⟨p_u, q_i⟩) | features of i], in closed form:
///
///     Gaussian latents   β w ⟨p, E[latent | features]⟩, as all items have one variance;
///                        E[r | x_v, x_t] = (x_v + x_t) / (2 + σ²), one feature: x / (1 + σ²)
///     signs              Σ_d ln(1 + m_d tanh(β w p_d)), m = tanh(x_v/σ²) tanh(x_t/σ²)
///
/// The expectation is the mean over the test interactions, which the model itself drew. The
/// soft-max over the candidates' expectations stands for the expectation of the soft-max; they
/// agree for large catalogues. A measurement that must learn p_u from some interactions finds less.
public struct SyntheticInformation: Sendable, Equatable, Codable {
  /// By the visual features.
  public let visual: Double
  /// By the text features.
  public let text: Double
  /// By both without the signs' products.
  public let additive: Double
  /// By both.
  public let together: Double
  /// visual + text − additive: what both repeat. Not exactly what was asked for: two noisy copies
  /// determine a latent better than one.
  public let redundant: Double
  /// visual − redundant.
  public let uniqueVisual: Double
  /// text − redundant.
  public let uniqueText: Double
  /// together − additive.
  public let synergistic: Double
  /// Users whose test interactions are measured: all, or an evenly spread part of them where users
  /// × items are more than 2²⁶.
  public let users: Int

  /// - Parameter report: called with the share of the items that is done, from 0 to 1.
  init(
    _ configuration: SyntheticConfiguration, _ lists: SyntheticLists,
    report: (Double) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    let most = max(1, Self.mostPairs / configuration.items)
    let interval = (configuration.users + most - 1) / most
    var measured: [MeasuredUser] = []
    lists.forEach { user, items in
      guard user % interval == 0 else { return }
      measured.append(MeasuredUser(user, items: items, configuration))
    }
    for block in SyntheticItems.blocks(of: configuration) {
      try report(Double(block.lowerBound) / Double(configuration.items))
      let observer = IdealObserver(
        configuration, SyntheticItems(configuration, items: block), first: block.lowerBound)
      for index in measured.indices { measured[index].add(observer) }
    }
    var totals = SIMD4<Double>.zero
    for user in measured { totals += user.gain(items: configuration.items) }
    totals /= Double(max(1, measured.reduce(0) { $0 + $1.test.count }))
    (visual, text, additive, together) = (totals[0], totals[1], totals[2], totals[3])
    redundant = totals[0] + totals[1] - totals[2]
    uniqueVisual = totals[2] - totals[1]
    uniqueText = totals[2] - totals[0]
    synergistic = totals[3] - totals[2]
    users = measured.count
  }

  private static let mostPairs = 1 << 26
}

/// A user whose test interactions are measured.
private struct MeasuredUser {
  let history: Set<Int32>
  let test: Set<Int32>
  private let taste: ScaledTaste
  private var found = SIMD4<Double>.zero
  private var largest = SIMD4<Double>(repeating: -.infinity)
  private var sums = SIMD4<Double>.zero

  init(_ user: Int, items: [Int32], _ configuration: SyntheticConfiguration) {
    let labels = SplitRule.labels(count: items.count, user: user, seed: configuration.seed)
    let part = { (label: SplitLabel) in
      Set(zip(items, labels).filter { $0.1 == label }.map(\.0))
    }
    history = part(.train)
    test = part(.test)
    taste = ScaledTaste(user, configuration)
  }

  /// Adds the scores of a block of items. The sums of exponentials are kept relative to the largest
  /// score so far.
  mutating func add(_ observer: IdealObserver) {
    for row in 0..<observer.count {
      let item = Int32(truncatingIfNeeded: observer.first + row)
      if history.contains(item) { continue }
      let scores = observer.scores(of: row, taste)
      if test.contains(item) { found += scores }
      for index in 0..<4 {
        let score = scores[index]
        if score > largest[index] {
          sums[index] = sums[index] * exp(largest[index] - score) + 1
          largest[index] = score
        } else {
          sums[index] += exp(score - largest[index])
        }
      }
    }
  }

  /// Σ over the test interactions of ln p plus ln of the number of candidates.
  func gain(items: Int) -> SIMD4<Double> {
    let uniform = log(Double(items - history.count))
    var gain = found
    for index in 0..<4 {
      gain[index] += Double(test.count) * (uniform - largest[index] - log(sums[index]))
    }
    return gain
  }
}

/// β w p of a user, by kind of information; for the signs tanh of it.
private struct ScaledTaste {
  let shared: [Double]
  let uniqueVisual: [Double]
  let uniqueText: [Double]
  let signs: [Double]

  init(_ user: Int, _ configuration: SyntheticConfiguration) {
    let factor =
      Double(configuration.sharpness) / Double(configuration.preferenceVariance).squareRoot()
    let preferences = SyntheticDraws(seed: configuration.seed).normal(
      .user, rows: user..<user + 1, columns: SyntheticLatents.preferenceColumns(configuration))
    // The coordinates of a taste follow the components: shared, unique, unique, synergy.
    var taste = preferences.row(0).map { factor * Double($0) }[...]
    func next(_ component: SyntheticConfiguration.Component) -> [Double] {
      defer { taste = taste.dropFirst(component.dimensions) }
      return taste.prefix(component.dimensions).map { $0 * Double(component.weight) }
    }
    shared = next(configuration.shared)
    uniqueVisual = next(configuration.uniqueVisual)
    uniqueText = next(configuration.uniqueText)
    signs = next(configuration.synergy).map(tanh)
  }
}

/// The scores of an observer who knows the generative model and the users, for a block of items.
private struct IdealObserver {
  /// The id of the first item.
  let first: Int
  private let items: SyntheticItems
  private let visual: SyntheticLayout
  private let text: SyntheticLayout
  private let noise: Double
  /// tanh(x_v/σ²) tanh(x_t/σ²), `[items][signs]`.
  private let products: [[Double]]

  init(_ configuration: SyntheticConfiguration, _ items: SyntheticItems, first: Int) {
    self.first = first
    self.items = items
    let noise = Double(configuration.observationNoise) * Double(configuration.observationNoise)
    let visual = configuration.visualLayout
    let text = configuration.textLayout
    products = (0..<items.visual.rows).map { row in
      zip(visual.synergy.range, text.synergy.range).map { left, right in
        tanh(Double(items.visual[row, left]) / noise)
          * tanh(Double(items.text[row, right]) / noise)
      }
    }
    self.noise = noise
    self.visual = visual
    self.text = text
  }

  var count: Int { products.count }

  /// For visual, text, both without signs, both.
  func scores(of row: Int, _ taste: ScaledTaste) -> SIMD4<Double> {
    let x = items.visual.row(row)
    let y = items.text.row(row)
    let sharedVisual = product(taste.shared, visual.shared, x)
    let sharedText = product(taste.shared, text.shared, y)
    let ownVisual = product(taste.uniqueVisual, visual.unique, x) / (1 + noise)
    let ownText = product(taste.uniqueText, text.unique, y) / (1 + noise)
    let additive = (sharedVisual + sharedText) / (2 + noise) + ownVisual + ownText
    var synergy = 0.0
    for (product, sign) in zip(products[row], taste.signs) { synergy += log1p(product * sign) }
    return SIMD4(
      sharedVisual / (1 + noise) + ownVisual, sharedText / (1 + noise) + ownText, additive,
      additive + synergy)
  }

  private func product(
    _ weights: [Double], _ columns: ColumnRange, _ row: UnsafeMutableBufferPointer<Float>
  ) -> Double {
    var sum = 0.0
    for (weight, column) in zip(weights, columns.range) { sum += weight * Double(row[column]) }
    return sum
  }
}
