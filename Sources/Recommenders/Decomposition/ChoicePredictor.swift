import Datasets
internal import Foundation
import Tensors

/// A categorical distribution over a user's candidates:
///
///     p(i | u) = softmax_i(⟨a_u, φ_i⟩ + α π_i),  π_i = ln(1 + training interactions of i)
struct ChoicePredictor: Sendable {
  /// a, `[U, K]`; K may be 0.
  let users: Matrix
  /// φ, `[I, K]`.
  let items: Matrix
  /// α.
  let popularityWeight: Float

  init(users: Matrix, items: Matrix, popularityWeight: Float) {
    precondition(users.columns == items.columns, "\(users.shape) and \(items.shape)")
    self.users = users
    self.items = items
    self.popularityWeight = popularityWeight
  }

  /// What popularity alone predicts: α is chosen on the validation split by golden-section search.
  static func popularity(_ data: ChoiceData) -> ChoicePredictor {
    func predictor(_ weight: Float) -> ChoicePredictor {
      ChoicePredictor(
        users: Matrix(rows: data.userCount, columns: 0),
        items: Matrix(rows: data.itemCount, columns: 0), popularityWeight: weight)
    }
    func value(_ weight: Float) -> Double { predictor(weight).validation(data) }
    let ratio: Float = 0.618034
    var (low, high): (Float, Float) = (0, 3)
    var (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
    var (atLeft, atRight) = (value(left), value(right))
    while high - low > 0.02 {
      if atLeft > atRight {
        (high, right, atRight) = (right, left, atLeft)
        left = high - ratio * (high - low)
        atLeft = value(left)
      } else {
        (low, left, atLeft) = (left, right, atRight)
        right = low + ratio * (high - low)
        atRight = value(right)
      }
    }
    return predictor((low + high) / 2)
  }

  /// The log-linear pool (1 − γ) · this + γ · other of the scores.
  ///
  /// - Parameter share: γ, from 0 to 1.
  func pooled(with other: ChoicePredictor, share: Float) -> ChoicePredictor {
    if share == 0 { return self }
    if share == 1 { return other }
    return ChoicePredictor(
      users: Self.beside(users, 1 - share, other.users, share),
      items: Self.beside(items, 1, other.items, 1),
      popularityWeight: (1 - share) * popularityWeight + share * other.popularityWeight)
  }

  /// The pool with the share that is the most likely on the validation split.
  ///
  /// A predictor that was fitted with more inputs is noisier, and may be worse on held-out choices
  /// than one with fewer. The pool has the inputs of the larger one and is, on validation, at least
  /// as good as both: information that is not there is measured as 0 rather than below.
  func bestPool(with other: ChoicePredictor, on data: ChoiceData) -> ChoicePredictor {
    var best = (value: -Double.infinity, pool: self)
    for share: Float in [0, 0.25, 0.5, 0.75, 1] {
      let pool = pooled(with: other, share: share)
      let value = pool.validation(data)
      if value > best.value { best = (value, pool) }
    }
    return best.pool
  }

  private static func beside(
    _ left: Matrix, _ leftScale: Float, _ right: Matrix, _ rightScale: Float
  ) -> Matrix {
    let result = Matrix(rows: left.rows, columns: left.columns + right.columns)
    for row in 0..<left.rows {
      let target = result.row(row)
      for (column, value) in left.row(row).enumerated() { target[column] = leftScale * value }
      for (column, value) in right.row(row).enumerated() {
        target[left.columns + column] = rightScale * value
      }
    }
    return result
  }

  /// The mean of ln p over the validation events of ``ChoiceData/validationUsers``, nats.
  func validation(_ data: ChoiceData) -> Double {
    var total = 0.0
    var count = 0
    for values in logLikelihoods(of: data.valid, users: data.validationUsers, data) {
      total += values.reduce(0, +)
      count += values.count
    }
    return total / Double(max(1, count))
  }

  /// ln p(i | u) of the events of some users, in the order of the split's items, nats.
  func logLikelihoods(
    of split: AdjacencyList, users: [Int], _ data: ChoiceData
  ) -> [[Double]] {
    let blockSize = 64
    return stride(from: 0, to: users.count, by: blockSize).flatMap { first in
      let block = users[first..<min(first + blockSize, users.count)]
      let vectors = Matrix(rows: block.count, columns: self.users.columns)
      for (row, user) in block.enumerated() {
        if let target = vectors.row(row).baseAddress {
          target.update(
            from: self.users.pointer + user * self.users.columns, count: self.users.columns)
        }
      }
      let scores = Matrix(rows: block.count, columns: items.rows)
      if items.columns > 0 {
        BLAS.multiply(.init(vectors), .init(items), transposeB: true, into: .init(scores))
      }
      scores.addToRows(data.logPopularity, scaledBy: popularityWeight)
      for (row, user) in block.enumerated() { scores.exclude(data.histories[user], inRow: row) }
      let taken = block.enumerated().map { row, user in
        split[user].map { Double(scores.row(row)[Int($0)]) }
      }
      let logSums = scores.softmaxRows()
      return taken.enumerated().map { row, values in values.map { $0 - logSums[row] } }
    }
  }
}
