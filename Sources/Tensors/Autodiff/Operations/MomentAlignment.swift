/// A matrix that stands side by side or above others, each of its elements `copies` times.
public struct RepeatedPart {
  public let variable: Variable
  public let copies: Int

  public init(_ variable: Variable, copies: Int = 1) {
    self.variable = variable
    self.copies = copies
  }
}

extension Tape {
  /// How far the means and the variances of several matrices are apart:
  ///
  ///     L = Σ_{i<j} |var_i − var_j| + |mean_i − mean_j|
  ///
  /// over all elements of each matrix, the variance with the divisor n − 1.
  ///
  /// - Parameter matrices: each as the parts that it consists of; a part may be in several.
  /// - Returns: `[1, 1]`; for an element x of matrix i with n elements
  ///   `dx = Σ_j sign(var_i − var_j) · 2 (x − mean_i)/(n − 1) + sign(mean_i − mean_j)/n`, with
  ///   sign(0) = 0.
  /// - Numerics: sums in `Double`, in fixed ranges.
  /// - Source: MENTOR's alignment, as in Jinfeng-Xu/MENTOR 1581d27.
  public func momentAlignment(_ matrices: [[RepeatedPart]]) -> Variable {
    let moments = matrices.map { Moments($0) }
    var total = 0.0
    for (index, first) in moments.enumerated() {
      for second in moments[(index + 1)...] {
        total += abs(first.variance - second.variance) + abs(first.mean - second.mean)
      }
    }
    let inputs = matrices.flatMap { $0.map(\.variable) }
    return record(scalar(Float(total)), from: inputs) { [unowned self] gradient in
      for (parts, own) in zip(matrices, moments) {
        let varianceSigns = moments.reduce(0) { $0 + sign(own.variance - $1.variance) }
        let meanSigns = moments.reduce(0) { $0 + sign(own.mean - $1.mean) }
        for part in parts {
          let factor = Double(gradient.pointer[0]) * Double(part.copies)
          let slope = Float(factor * varianceSigns * 2 / max(1, own.count - 1))
          let shift = Float(factor * meanSigns / max(1, own.count))
          let mean = Float(own.mean)
          accumulate(into: part.variable, elements: 2) { target, range, isFirst in
            for index in range {
              let share = slope * (part.variable.value.pointer[index] - mean) + shift
              target.pointer[index] = isFirst ? share : target.pointer[index] + share
            }
          }
        }
      }
    }
  }
}

/// Count, mean and unbiased variance of a matrix's elements.
private struct Moments {
  let count: Double
  let mean: Double
  let variance: Double

  init(_ parts: [RepeatedPart]) {
    func total(_ term: @escaping (Double) -> Double) -> Double {
      parts.reduce(0) { sum, part in
        let values = part.variable.value
        return sum + Double(part.copies)
          * Lanes.current.sum(of: values.count, elements: 2) { range in
            range.reduce(0) { $0 + term(Double(values.pointer[$1])) }
          }
      }
    }
    let count = parts.reduce(0) { $0 + Double($1.copies * $1.variable.value.count) }
    let mean = total { $0 } / max(1, count)
    self.count = count
    self.mean = mean
    variance = total { ($0 - mean) * ($0 - mean) } / max(1, count - 1)
  }
}

/// −1, 0 or 1.
private func sign(_ value: Double) -> Double { value > 0 ? 1 : value < 0 ? -1 : 0 }
