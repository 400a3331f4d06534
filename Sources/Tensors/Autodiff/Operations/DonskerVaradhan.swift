internal import Foundation

extension Tape {
  /// The Donsker–Varadhan lower bound of mutual information.
  ///
  ///     V = mean(f_joint) − ( logsumexp(f_marginal) − ln J )
  ///
  /// - Parameters:
  ///   - joint: statistics of true pairs, `[J, 1]`.
  ///   - marginal: statistics of shuffled pairs, `[J, 1]`.
  ///   - movingAverage: T, a running mean of `e^f` over marginal pairs. When given, the gradient
  ///     of the second term is `−e^{f_j} / (J · T)` instead of the soft-max weight, which corrects
  ///     the bias that small batches give the latter. The value stays the plain one.
  /// - Returns: `[1, 1]`, nats.
  /// - Source: Belghazi et al. 2018 (MINE), arXiv:1801.04062, eq. 10 and §3.2.
  public func donskerVaradhan(
    joint: Variable, marginal: Variable, movingAverage: Float? = nil
  ) -> Variable {
    let count = joint.rows
    precondition(count > 0 && marginal.rows == count, "donskerVaradhan of \(marginal.rows) pairs")
    let f = marginal.value.pointer
    var largest = -Float.infinity
    var jointSum = 0.0
    for row in 0..<count {
      largest = max(largest, f[row])
      jointSum += Double(joint.value.pointer[row])
    }
    let shift = largest
    let exponentials = Lanes.current.sum(of: count, elements: 64) { rows in
      rows.reduce(0.0) { $0 + exp(Double(f[$1] - shift)) }
    }
    let logMeanExponential = Double(largest) + log(exponentials) - log(Double(count))
    let value = Float(jointSum / Double(count) - logMeanExponential)
    let logNormalizer =
      movingAverage.map { log(Double($0)) + log(Double(count)) }
      ?? Double(largest) + log(exponentials)
    return record(scalar(value), from: joint, marginal) { [unowned self] gradient in
      let upstream = gradient.pointer[0]
      scatter(into: joint) { target in
        for row in 0..<count { target.pointer[row] += upstream / Float(count) }
      }
      accumulate(into: marginal, elements: 64) { target, rows, isFirst in
        for row in rows {
          let share = upstream * Float(exp(Double(f[row]) - logNormalizer))
          target.pointer[row] = isFirst ? -share : target.pointer[row] - share
        }
      }
    }
  }
}
