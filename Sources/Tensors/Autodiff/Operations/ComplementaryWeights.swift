internal import Foundation

extension Tape {
  /// Weights that are large where a number is small among its row: `ω_m = 1 − softmax_m(x)`.
  ///
  /// - Parameter columns: x, M variables `[B, 1]`.
  /// - Returns: M matrices `[B, 1]`, through which no gradient flows; a row adds up to M − 1.
  /// - Precondition: at least one column; equal heights.
  /// - Source: the adaptive optimisation of COHESION, as in Jinfeng-Xu/COHESION 3fccdaf.
  public func complementaryWeights(_ columns: [Variable]) -> [Matrix] {
    let count = columns[0].rows
    precondition(columns.allSatisfy { $0.value.count == count }, "weights of unequal counts")
    let weights = columns.map { _ in matrix(rows: count, columns: 1) }
    Lanes.current.forEachRange(of: count, elements: 32 * columns.count) { rows in
      for row in rows {
        var largest = -Float.infinity
        for column in columns { largest = max(largest, column.value.pointer[row]) }
        var sum: Float = 0
        for (weight, column) in zip(weights, columns) {
          weight.pointer[row] = exp(column.value.pointer[row] - largest)
          sum += weight.pointer[row]
        }
        for weight in weights { weight.pointer[row] = 1 - weight.pointer[row] / sum }
      }
    }
    return weights
  }
}
