internal import Foundation
internal import Tensors

extension Tape {
  /// The mean log-density of rows under diagonal Gaussians that another network predicts.
  ///
  ///     (1/J) Σ_i Σ_k −½ [ (x − μ)² e^{−ℓ} + ℓ + ln 2π ]
  ///
  /// - Parameters: `x`, `mean` and `logVariance` are `[J, D]`; gradients flow to all three.
  /// - Returns: `[1, 1]`, nats.
  public func gaussianLogDensity(
    _ x: Variable, mean: Variable, logVariance: Variable
  ) -> Variable {
    let count = Float(max(1, x.rows))
    let scaled = matrix(rows: x.rows, columns: x.columns)  // (x − μ) e^{−ℓ}
    let squared = matrix(rows: x.rows, columns: x.columns)  // (x − μ)² e^{−ℓ}
    var total = 0.0
    for index in 0..<x.value.count {
      let difference = x.value.pointer[index] - mean.value.pointer[index]
      let logVariance = logVariance.value.pointer[index]
      scaled.pointer[index] = difference * exp(-logVariance)
      squared.pointer[index] = difference * scaled.pointer[index]
      total -= 0.5 * (Double(squared.pointer[index]) + Double(logVariance) + log(2 * Double.pi))
    }
    return record(scalar(Float(total) / count), from: x, mean, logVariance) {
      [unowned self] gradient in
      let factor = gradient.pointer[0] / count
      scatter(into: x) { target in
        BLAS.accumulate(
          scaled.pointer, scaledBy: -factor, into: target.pointer, count: target.count)
      }
      scatter(into: mean) { target in
        BLAS.accumulate(
          scaled.pointer, scaledBy: factor, into: target.pointer, count: target.count)
      }
      scatter(into: logVariance) { target in
        for index in 0..<target.count {
          target.pointer[index] += factor * 0.5 * (squared.pointer[index] - 1)
        }
      }
    }
  }
}
