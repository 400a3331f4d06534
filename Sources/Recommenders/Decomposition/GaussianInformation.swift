internal import Foundation
import Tensors

/// Mutual information of two sets of columns, taken as jointly Gaussian over the items, in nats.
///
///     I = −½ Σ_k ln(1 − ρ_k²) = ½ (ln det C_v + ln det C_t − ln det C)
///
/// ρ the canonical correlations, C the covariance of both sets together.
package struct GaussianInformation: Sendable, Equatable {
  /// The formula on all items. By chance alone it is about D_v D_t / 2I nats above the truth.
  package let formula: Double
  /// The mean log density ratio of items that the covariance was not computed from; each item is
  /// held out once. A lower bound of the information whatever the distribution, up to sampling.
  package let heldOut: Double

  private static let foldCount = 5
  /// Weights of the mean variance in the diagonal, from which held-out items choose.
  private static let ridges = [1e-4, 1e-3, 1e-2, 0.1, 0.5]

  /// - Parameters:
  ///   - first: `[I, D_v]`.
  ///   - second: `[I, D_t]`.
  package init(_ first: ModalityCodes, _ second: ModalityCodes, seed: UInt64) {
    let joint = JointCodes(first.standardized.vectors, second.standardized.vectors)
    let items = Array(0..<joint.count)
    formula = GaussianFit(ItemMoments(joint, items), ridge: Self.ridges[0])?.information ?? 0
    let folds = ItemFolds(count: joint.count, foldCount: Self.foldCount, seed: seed)
    var total = 0.0
    for fold in 0..<Self.foldCount {
      let known = items.filter { folds.fold(of: $0) != fold }
      // The ridge is chosen within the known items: the measured ones have no say.
      let inner = (fold + 1) % Self.foldCount
      let fitted = known.filter { folds.fold(of: $0) != inner }
      let checked = known.filter { folds.fold(of: $0) == inner }
      let inside = ItemMoments(joint, fitted)
      let best = Self.ridges.map { ridge in
        (ridge, GaussianFit(inside, ridge: ridge)?.logRatio(joint, checked) ?? -.infinity)
      }.max { $0.1 < $1.1 }
      guard let ridge = best?.0, let fit = GaussianFit(ItemMoments(joint, known), ridge: ridge)
      else { continue }
      total += fit.logRatio(joint, items.filter { folds.fold(of: $0) == fold })
    }
    heldOut = total / Double(max(1, joint.count))
  }
}

/// Items divided at random into folds of nearly one size.
struct ItemFolds {
  private let folds: [Int]

  init(count: Int, foldCount: Int, seed: UInt64) {
    let random = CounterRandom(
      seed: seed, stream: .decomposition, epoch: DecompositionDraw.folds.rawValue)
    let order = (0..<count).map { (key: random.words(id: $0).x, item: $0) }
      .sorted { ($0.key, $0.item) < ($1.key, $1.item) }
    var folds = [Int](repeating: 0, count: count)
    for (position, entry) in order.enumerated() { folds[entry.item] = position % foldCount }
    self.folds = folds
  }

  func fold(of item: Int) -> Int { folds[item] }
}

/// Two sets of columns as one, in double precision, `[count, firstWidth + secondWidth]`.
private struct JointCodes {
  let count: Int
  let firstWidth: Int
  let width: Int
  private let values: [Double]

  init(_ first: Matrix, _ second: Matrix) {
    count = first.rows
    firstWidth = first.columns
    width = first.columns + second.columns
    values = (0..<first.rows).flatMap { row in
      (first.row(row) + Array(second.row(row))).map(Double.init)
    }
  }

  func row(_ item: Int) -> ArraySlice<Double> { values[item * width..<(item + 1) * width] }
}

/// Mean and covariance of some items.
private struct ItemMoments {
  let count: Int
  let firstWidth: Int
  let mean: [Double]
  /// The lower triangle of `[width, width]`.
  let covariance: [Double]

  var width: Int { mean.count }

  init(_ codes: JointCodes, _ items: [Int]) {
    count = items.count
    firstWidth = codes.firstWidth
    let width = codes.width
    let divisor = Double(max(1, items.count))
    var mean = [Double](repeating: 0, count: width)
    for item in items {
      for (column, value) in codes.row(item).enumerated() { mean[column] += value / divisor }
    }
    var covariance = [Double](repeating: 0, count: width * width)
    covariance.withUnsafeMutableBufferPointer { target in
      for item in items {
        let row = zip(codes.row(item), mean).map { $0 - $1 }
        for left in 0..<width {
          let scale = row[left] / divisor
          for right in 0...left { target[left * width + right] += scale * row[right] }
        }
      }
    }
    self.mean = mean
    self.covariance = covariance
  }
}

/// The Gaussian distribution of some items.
private struct GaussianFit {
  private let mean: [Double]
  private let firstWidth: Int
  private let first: Cholesky
  private let second: Cholesky
  private let joint: Cholesky

  /// Nil if the covariance is singular.
  init?(_ moments: ItemMoments, ridge: Double) {
    guard moments.count > 1 else { return nil }
    let width = moments.width
    var covariance = moments.covariance
    let trace = (0..<width).reduce(0) { $0 + covariance[$1 * width + $1] }
    // Codes that do not vary have no information; anything above 0 keeps them out.
    let added = max(ridge * trace / Double(width), 1e-12)
    for column in 0..<width { covariance[column * width + column] += added }
    let cut = moments.firstWidth
    guard let first = Cholesky(covariance, stride: width, range: 0..<cut),
      let second = Cholesky(covariance, stride: width, range: cut..<width),
      let joint = Cholesky(covariance, stride: width, range: 0..<width)
    else { return nil }
    mean = moments.mean
    firstWidth = cut
    (self.first, self.second, self.joint) = (first, second, joint)
  }

  /// ½ (ln det C_v + ln det C_t − ln det C).
  var information: Double {
    (first.logDeterminant + second.logDeterminant - joint.logDeterminant) / 2
  }

  /// Σ over items of ln N(z_v, z_t; C) − ln N(z_v; C_v) − ln N(z_t; C_t).
  func logRatio(_ codes: JointCodes, _ items: [Int]) -> Double {
    items.reduce(0) { sum, item in
      let row = zip(codes.row(item), mean).map { $0 - $1 }
      let distance =
        first.squaredDistance(row[..<firstWidth]) + second.squaredDistance(row[firstWidth...])
        - joint.squaredDistance(row[...])
      return sum + information + distance / 2
    }
  }
}

/// The lower triangular L with L Lᵀ = C, for C symmetric and positive definite.
private struct Cholesky {
  private let size: Int
  private let lower: [Double]

  /// - Parameters:
  ///   - matrix: its lower triangle is read.
  ///   - range: which rows and columns of it are C.
  init?(_ matrix: [Double], stride: Int, range: Range<Int>) {
    size = range.count
    var lower = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0...row {
        var sum = matrix[(range.lowerBound + row) * stride + range.lowerBound + column]
        for inner in 0..<column { sum -= lower[row * size + inner] * lower[column * size + inner] }
        if row == column {
          guard sum > 0, sum.isFinite else { return nil }
          lower[row * size + row] = sum.squareRoot()
        } else {
          lower[row * size + column] = sum / lower[column * size + column]
        }
      }
    }
    self.lower = lower
  }

  var logDeterminant: Double {
    2 * (0..<size).reduce(0) { $0 + log(lower[$1 * size + $1]) }
  }

  /// xᵀ C⁻¹ x.
  func squaredDistance(_ x: ArraySlice<Double>) -> Double {
    var solved: [Double] = []
    solved.reserveCapacity(size)
    var total = 0.0
    for (row, value) in x.enumerated() {
      var sum = value
      for column in 0..<row { sum -= lower[row * size + column] * solved[column] }
      let element = sum / lower[row * size + row]
      solved.append(element)
      total += element * element
    }
    return total
  }
}
