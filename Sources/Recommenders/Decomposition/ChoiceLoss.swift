internal import Foundation
import Tensors

extension Tape {
  /// Users as the shrunk means of their histories:
  ///
  ///     a_ud = S_ud / (n_u + e^{c_d}) − b_d
  ///
  /// S the sum of the history's item vectors and n its length. With a Gaussian prior on tastes that
  /// is the form of their posterior mean, e^c the prior's weight in interactions.
  ///
  /// - Parameters:
  ///   - sums: S, `[B, K]`.
  ///   - counts: n, `[B]`.
  ///   - strength: c, `[1, K]`.
  ///   - shift: b, `[1, K]`: takes out what is the same for all users.
  /// - Returns: `[B, K]`.
  package func shrunkMeans(
    _ sums: Variable, counts: [Int], strength: Variable, shift: Variable
  ) -> Variable {
    let width = sums.columns
    let output = matrix(rows: sums.rows, columns: width)
    let weights = (0..<width).map { exp(strength.value.pointer[$0]) }
    for row in 0..<sums.rows {
      for column in 0..<width {
        let index = row * width + column
        output.pointer[index] =
          sums.value.pointer[index] / (Float(counts[row]) + weights[column])
          - shift.value.pointer[column]
      }
    }
    return record(output, from: sums, strength, shift) { [unowned self] gradient in
      accumulate(into: sums) { target, isFirst in
        for row in 0..<target.rows {
          for column in 0..<width {
            let index = row * width + column
            let share = gradient.pointer[index] / (Float(counts[row]) + weights[column])
            target.pointer[index] = isFirst ? share : target.pointer[index] + share
          }
        }
      }
      scatter(into: strength) { target in
        for row in 0..<gradient.rows {
          for column in 0..<width {
            let index = row * width + column
            let total = Float(counts[row]) + weights[column]
            target.pointer[column] -=
              gradient.pointer[index] * sums.value.pointer[index] * weights[column]
              / (total * total)
          }
        }
      }
      scatter(into: shift) { target in
        for row in 0..<gradient.rows {
          for column in 0..<width {
            target.pointer[column] -= gradient.pointer[row * width + column]
          }
        }
      }
    }
  }

  /// The categorical likelihood of choices:
  ///
  ///     L = −(1/n) Σ_{(u,i)} ln softmax_j(⟨a_u, φ_j⟩ + α π_j)[i]
  ///
  /// over the n targets of a batch, j over the user's candidates: all items but the history's.
  ///
  /// - Parameters:
  ///   - users: a, `[B, K]`.
  ///   - items: φ, `[I, K]`.
  ///   - popularity: π, `[I]`, and its weight α, `[1, 1]`; nil: none.
  ///   - batch: of B users, with at least one target.
  /// - Returns: `[1, 1]`, nats per choice.
  package func choiceLoss(
    users: Variable, items: Variable, popularity: (values: [Float], weight: Variable)?,
    batch: ChoiceBatch
  ) -> Variable {
    let scores = matrix(rows: users.rows, columns: items.rows)
    BLAS.multiply(.init(users.value), .init(items.value), transposeB: true, into: .init(scores))
    if let popularity {
      scores.addToRows(popularity.values, scaledBy: popularity.weight.value.pointer[0])
    }
    for (row, history) in batch.histories.enumerated() { scores.exclude(history, inRow: row) }
    var total = 0.0
    for (row, targets) in batch.targets.enumerated() {
      for item in targets { total -= Double(scores.row(row)[Int(item)]) }
    }
    let logSums = scores.softmaxRows()
    // The probabilities become the gradient with respect to the scores.
    let share = 1 / Float(batch.targetCount)
    for (row, targets) in batch.targets.enumerated() {
      total += Double(targets.count) * logSums[row]
      let values = scores.row(row)
      let scale = Float(targets.count) * share
      for item in values.indices { values[item] *= scale }
      for item in targets { values[Int(item)] -= share }
    }
    let value = filled(Float(total / Double(batch.targetCount)))
    let inputs = [users, items] + (popularity.map { [$0.weight] } ?? [])
    return record(value, from: inputs) { [unowned self] gradient in
      let factor = gradient.pointer[0]
      accumulate(into: users) { target, isFirst in
        BLAS.multiply(
          .init(scores), .init(items.value), into: .init(target), alpha: factor,
          beta: isFirst ? 0 : 1)
      }
      accumulate(into: items) { target, isFirst in
        BLAS.multiply(
          .init(scores), transposeA: true, .init(users.value), into: .init(target), alpha: factor,
          beta: isFirst ? 0 : 1)
      }
      if let popularity {
        scatter(into: popularity.weight) { target in
          for row in 0..<scores.rows {
            let values = scores.row(row)
            var sum = 0.0
            for (item, value) in values.enumerated() {
              sum += Double(value * popularity.values[item])
            }
            target.pointer[0] += factor * Float(sum)
          }
        }
      }
    }
  }
}

/// Rows of scores, `[B, I]`.
extension Matrix {
  /// Adds a scaled row, `[columns]`, to every row.
  func addToRows(_ values: [Float], scaledBy scale: Float) {
    values.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      for row in 0..<rows {
        BLAS.accumulate(base, scaledBy: scale, into: pointer + row * columns, count: columns)
      }
    }
  }

  /// Gives some items of a row a probability of 0.
  func exclude(_ items: some Sequence<Int32>, inRow row: Int) {
    let scores = self.row(row)
    for item in items { scores[Int(item)] = -1e30 }
  }
}
