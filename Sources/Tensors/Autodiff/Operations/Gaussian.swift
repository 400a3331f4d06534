internal import CKernels
internal import Foundation

extension Tape {
  /// Draws from a diagonal Gaussian by the reparametrisation `z = μ + s e^{ℓ/2} ⊙ ε`.
  ///
  /// - Parameters:
  ///   - mean: μ, `[J, D]`.
  ///   - logVariance: ℓ, `[J, D]`, |ℓ| ≤ 80.
  ///   - noise: ε, `[J, D]`, standard normal; no gradient. It becomes s ε.
  ///   - scale: s, constant: the unit in which e^{ℓ/2} is measured.
  /// - Returns: z and e^{ℓ/2}, `[J, D]`; `dμ = g`, `dℓ = ½ s g ⊙ ε ⊙ e^{ℓ/2}`.
  /// - Source: Kingma and Welling 2014, arXiv:1312.6114, §2.4.
  public func gaussianSample(
    mean: Variable, logVariance: Variable, noise: Matrix, scale: Float = 1
  ) -> (sample: Variable, deviation: Matrix) {
    if scale != 1 {
      Lanes.current.forEachRange(of: noise.count) { range in
        for index in range { noise.pointer[index] *= scale }
      }
    }
    let output = matrix(rows: mean.rows, columns: mean.columns)
    let deviation = matrix(rows: mean.rows, columns: mean.columns)
    Lanes.current.forEachRange(of: output.count, elements: 2) { range in
      let start = range.lowerBound
      mrdib_gaussian_sample(
        mean.value.pointer + start, logVariance.value.pointer + start, noise.pointer + start,
        deviation.pointer + start, output.pointer + start, range.count)
    }
    let sample = record(output, from: mean, logVariance) { [unowned self] gradient in
      accumulate(into: mean, elements: 1) { target, range, isFirst in
        add(gradient, to: target, range, isFirst: isFirst)
      }
      accumulate(into: logVariance, elements: 2) { target, range, isFirst in
        let start = range.lowerBound
        if isFirst { (target.pointer + start).update(repeating: 0, count: range.count) }
        mrdib_gaussian_sample_adjoint(
          gradient.pointer + start, noise.pointer + start, deviation.pointer + start,
          target.pointer + start, range.count)
      }
    }
    return (sample, deviation)
  }

  /// The divergence from diagonal Gaussians to `N(0, s² I)`, times a constant.
  ///
  ///     scale · Σ ½ (μ²/(c s)² + e^ℓ/s² − 1 − ℓ + 2 ln s)
  ///
  /// - Parameters:
  ///   - mean: μ, `[J, D]`.
  ///   - logVariance: ℓ, `[J, D]`.
  ///   - meanUnit: c, constant: what μ is measured in, if not in the unit of e^{ℓ/2} and s.
  ///   - priorDeviation: s, constant; 1 is the standard prior.
  ///   - scale: 1 / (J · D) for the mean per dimension, 1 / J for the mean per item.
  /// - Returns: `[1, 1]`, nats.
  public func gaussianDivergence(
    mean: Variable, logVariance: Variable, meanUnit: Float = 1, priorDeviation: Float,
    scale: Float
  ) -> Variable {
    let precision = 1 / (priorDeviation * priorDeviation)
    let meanPrecision = precision / (meanUnit * meanUnit)
    let logPrecision = log(precision)
    let total = Lanes.current.sum(of: mean.value.count, elements: 2) { range in
      mrdib_gaussian_kl(
        mean.value.pointer + range.lowerBound, logVariance.value.pointer + range.lowerBound,
        meanPrecision, precision, logPrecision, range.count)
    }
    return record(scalar(Float(total * Double(scale))), from: mean, logVariance) {
      [unowned self] gradient in
      let factor = gradient.pointer[0] * scale
      for (variable, isMean) in [(mean, true), (logVariance, false)] {
        accumulate(into: variable, elements: 2) { target, range, isFirst in
          let start = range.lowerBound
          let destination = target.pointer + start
          if isFirst { destination.update(repeating: 0, count: range.count) }
          mrdib_gaussian_kl_adjoint(
            mean.value.pointer + start, logVariance.value.pointer + start, meanPrecision,
            precision, factor, isMean ? destination : nil, isMean ? nil : destination, range.count)
        }
      }
    }
  }
}

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
