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

  init(_ data: SyntheticData) {
    let observer = IdealObserver(data)
    let users = data.configuration.users
    let candidates = data.configuration.items
    var history = [[Int32]](repeating: [], count: users)
    var test = [[Int32]](repeating: [], count: users)
    let interactions = data.interactions
    for row in 0..<interactions.count {
      switch interactions.labels[row] {
      case .train: history[Int(interactions.users[row])].append(interactions.items[row])
      case .test: test[Int(interactions.users[row])].append(interactions.items[row])
      case .valid: break
      }
    }
    var totals = SIMD4<Double>.zero
    var count = 0
    for user in 0..<users where !test[user].isEmpty {
      var isKnown = [Bool](repeating: false, count: candidates)
      for item in history[user] { isKnown[Int(item)] = true }
      let scores = observer.scores(of: user)
      let uniform = log(Double(candidates - history[user].count))
      for (index, values) in scores.enumerated() {
        let largest = values.max() ?? 0
        var sum = 0.0
        for (item, score) in values.enumerated() where !isKnown[item] {
          sum += exp(score - largest)
        }
        let logSum = largest + log(sum)
        for item in test[user] { totals[index] += values[Int(item)] - logSum + uniform }
      }
      count += test[user].count
    }
    totals /= Double(max(1, count))
    (visual, text, additive, together) = (totals[0], totals[1], totals[2], totals[3])
    redundant = totals[0] + totals[1] - totals[2]
    uniqueVisual = totals[2] - totals[1]
    uniqueText = totals[2] - totals[0]
    synergistic = totals[3] - totals[2]
  }
}

/// The scores of an observer who knows the generative model and the users.
private struct IdealObserver {
  private let data: SyntheticData
  private let noise: Double
  private let factor: Double

  init(_ data: SyntheticData) {
    self.data = data
    let configuration = data.configuration
    noise = Double(configuration.observationNoise) * Double(configuration.observationNoise)
    factor =
      Double(configuration.sharpness) / Double(configuration.preferenceVariance).squareRoot()
  }

  /// For visual, text, both without signs, both: `[4][I]`.
  func scores(of user: Int) -> [[Double]] {
    let configuration = data.configuration
    let visual = configuration.visualLayout
    let text = configuration.textLayout
    // The coordinates of a taste follow the components: shared, unique, unique, synergy.
    var taste = data.userPreferences.row(user).map { factor * Double($0) }[...]
    func next(_ component: SyntheticConfiguration.Component) -> [Double] {
      defer { taste = taste.dropFirst(component.dimensions) }
      return taste.prefix(component.dimensions).map { $0 * Double(component.weight) }
    }
    let shared = next(configuration.shared)
    let uniqueVisual = next(configuration.uniqueVisual)
    let uniqueText = next(configuration.uniqueText)
    let signs = next(configuration.synergy).map(tanh)
    var scores = [[Double]](repeating: [], count: 4)
    for item in 0..<configuration.items {
      let x = data.visual.row(item)
      let y = data.text.row(item)
      func product(
        _ weights: [Double], _ range: ColumnRange, _ row: UnsafeMutableBufferPointer<Float>
      )
        -> Double
      {
        var sum = 0.0
        for (weight, column) in zip(weights, range.range) { sum += weight * Double(row[column]) }
        return sum
      }
      let sharedVisual = product(shared, visual.shared, x)
      let sharedText = product(shared, text.shared, y)
      let ownVisual = product(uniqueVisual, visual.unique, x) / (1 + noise)
      let ownText = product(uniqueText, text.unique, y) / (1 + noise)
      let additive = (sharedVisual + sharedText) / (2 + noise) + ownVisual + ownText
      var synergy = 0.0
      for (index, sign) in signs.enumerated() {
        let left = tanh(Double(x[visual.synergy.start + index]) / noise)
        let right = tanh(Double(y[text.synergy.start + index]) / noise)
        synergy += log1p(left * right * sign)
      }
      scores[0].append(sharedVisual / (1 + noise) + ownVisual)
      scores[1].append(sharedText / (1 + noise) + ownText)
      scores[2].append(additive)
      scores[3].append(additive + synergy)
    }
    return scores
  }
}
