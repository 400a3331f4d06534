internal import Foundation

extension Tape {
  /// Multiplies the spectra of rows with each other and with a trained one:
  ///
  ///     y = F⁻¹( w ⊙ F x₁ ⊙ F x₂ ⊙ … )      row by row
  ///
  /// F is the discrete Fourier transform of D real numbers, scaled by 1/√D, of which the first
  /// K = ⌊D/2⌋ + 1 frequencies are kept: the others are their conjugates. With one factor this is a
  /// circular convolution with trained numbers; with several, rows are convolved with each other
  /// too.
  ///
  /// The transforms are products with fixed matrices, which for the widths of embeddings is exact
  /// to rounding and fast.
  ///
  /// - Parameters:
  ///   - factors: x_m, `[J, D]` each.
  ///   - weight: w, the real and the imaginary part per frequency, `[K, 2]`. As in any inverse
  ///     transform to real numbers, the imaginary part of the first product, and of the last one
  ///     for even D, has no effect.
  /// - Returns: y, `[J, D]`.
  /// - Precondition: at least one factor; the extents agree.
  /// - Source: the spectrum modality fusion of SMORE, arXiv:2412.14978, as in kennethorq/SMORE
  ///   0148d92 (PyTorch's `rfft` and `irfft` with `norm="ortho"`).
  public func spectralFilter(_ factors: [Variable], weight: Variable) -> Variable {
    precondition(!factors.isEmpty, "spectralFilter of nothing")
    let (rows, width) = (factors[0].rows, factors[0].columns)
    let transform = RealFourierTransform(width: width)
    let frequencies = transform.frequencyCount
    precondition(
      factors.allSatisfy { $0.rows == rows && $0.columns == width } && weight.rows == frequencies
        && weight.columns == 2,
      "spectralFilter of \(factors.map(\.value.shape)) by \(weight.value.shape)")
    let spectra = factors.map { factor in
      let result = matrix(rows: rows, columns: 2 * frequencies)
      BLAS.multiply(.init(factor.value), .init(transform.forward), into: .init(result))
      return result
    }
    let joint = productOfSpectra(spectra)
    let weights = matrix(rows: 1, columns: 2 * frequencies)
    for k in 0..<frequencies {
      weights.pointer[k] = weight.value.pointer[2 * k]
      weights.pointer[frequencies + k] = weight.value.pointer[2 * k + 1]
    }
    let filtered = matrix(rows: rows, columns: 2 * frequencies)
    multiplySpectra(joint, weights, into: filtered)
    let output = matrix(rows: rows, columns: width)
    BLAS.multiply(.init(filtered), .init(transform.inverse), into: .init(output))
    return record(output, from: factors + [weight]) { [unowned self] gradient in
      let upstream = matrix(rows: rows, columns: 2 * frequencies)
      BLAS.multiply(
        .init(gradient), .init(transform.inverse), transposeB: true, into: .init(upstream))
      let share = matrix(rows: rows, columns: 2 * frequencies)
      multiplySpectra(upstream, joint, conjugatesSecond: true, into: share)
      scatter(into: weight) { target in
        for row in 0..<rows {
          let numbers = share.pointer + row * 2 * frequencies
          for k in 0..<frequencies {
            target.pointer[2 * k] += numbers[k]
            target.pointer[2 * k + 1] += numbers[frequencies + k]
          }
        }
      }
      for (index, factor) in factors.enumerated() where factor.needsGradient {
        var others = spectra
        others.remove(at: index)
        if others.isEmpty {
          multiplySpectra(upstream, weights, conjugatesSecond: true, into: share)
        } else {
          let scaled = matrix(rows: rows, columns: 2 * frequencies)
          multiplySpectra(productOfSpectra(others), weights, into: scaled)
          multiplySpectra(upstream, scaled, conjugatesSecond: true, into: share)
        }
        accumulate(into: factor) { target, isFirst in
          BLAS.multiply(
            .init(share), .init(transform.forward), transposeB: true, into: .init(target),
            beta: isFirst ? 0 : 1)
        }
      }
    }
  }

  /// The product of one or several spectra, each `[J, 2K]`.
  private func productOfSpectra(_ spectra: [Matrix]) -> Matrix {
    spectra.dropFirst().reduce(spectra[0]) { first, second in
      let result = matrix(rows: first.rows, columns: first.columns)
      multiplySpectra(first, second, into: result)
      return result
    }
  }

  /// The product of complex numbers at the same places of two spectra, `[J, 2K]`: in each row the
  /// real parts, then the imaginary parts.
  ///
  /// - Parameters:
  ///   - y: `[J, 2K]`, or `[1, 2K]` for every row.
  ///   - conjugatesSecond: multiplies with the conjugates of `y`.
  private func multiplySpectra(
    _ x: Matrix, _ y: Matrix, conjugatesSecond: Bool = false, into output: Matrix
  ) {
    let (width, count) = (output.columns, output.columns / 2)
    let sign: Float = conjugatesSecond ? -1 : 1
    Lanes.current.forEachRange(of: output.rows, elements: 3 * width) { rows in
      for row in rows {
        let first = x.pointer + row * width
        let second = y.pointer + (y.rows == 1 ? 0 : row * width)
        let result = output.pointer + row * width
        for k in 0..<count {
          let (real, imaginary) = (first[k], first[count + k])
          let (otherReal, otherImaginary) = (second[k], sign * second[count + k])
          result[k] = real * otherReal - imaginary * otherImaginary
          result[count + k] = real * otherImaginary + imaginary * otherReal
        }
      }
    }
  }
}

/// The discrete Fourier transform of real rows as matrices, scaled by 1/√D both ways.
private struct RealFourierTransform {
  let frequencyCount: Int
  /// From D numbers to K real and K imaginary parts, `[D, 2K]`.
  let forward: Matrix
  /// Back, `[2K, D]`.
  let inverse: Matrix

  init(width: Int) {
    frequencyCount = width / 2 + 1
    forward = Matrix(rows: width, columns: 2 * frequencyCount)
    inverse = Matrix(rows: 2 * frequencyCount, columns: width)
    let scale = 1 / Double(width).squareRoot()
    for k in 0..<frequencyCount {
      // Frequencies other than the first, and the last of an even width, stand for two.
      let isSingle = k == 0 || 2 * k == width
      for place in 0..<width {
        // The remainder keeps the angle small, and with it the error.
        let angle = 2 * Double.pi * Double(k * place % width) / Double(width)
        let (real, imaginary) = (scale * cos(angle), isSingle ? 0 : -scale * sin(angle))
        forward[place, k] = Float(real)
        forward[place, frequencyCount + k] = Float(imaginary)
        inverse[k, place] = Float(isSingle ? real : 2 * real)
        inverse[frequencyCount + k, place] = Float(2 * imaginary)
      }
    }
  }
}
