internal import Foundation

extension Tape {
  /// The mean of ``infoNCE(_:_:temperature:)`` in both directions, of so many rows that the logits
  /// of all pairs have no room.
  ///
  ///     L = ½ [InfoNCE(x, y) + InfoNCE(y, x)],  G = a bᵀ / τ,  a = rowL2(x), b = rowL2(y)
  ///
  /// Both directions need the same G: its soft-max by rows, p, and by columns, q. G is computed in
  /// blocks of rows, and only one block exists at a time. The sums of its columns follow from p
  /// and the rows' sums, so one exponential per pair serves both directions:
  ///
  ///     q_ij = p_ij e^{R_i} / Σ_k p_kj e^{R_k},  R_i = ln Σ_j e^{G_ij}
  ///
  /// The result is one number, so its gradient is known up to a factor when it is computed: a
  /// second pass over the blocks, made only where a gradient is needed, adds it up at once.
  ///
  /// - Parameters:
  ///   - x: `[J, D]`.
  ///   - y: the partners in the same rows, `[J, D]`.
  ///   - temperature: τ, at least ``smallestTemperature``.
  ///   - blockElements: logits of a block, at most, unless a single row has more.
  /// - Returns: `[1, 1]`, nats, 0 for no rows. `dG = (p + q − 2 · identity) / 2J`.
  /// - Complexity: four products of O(J² D), one without gradients; `blockElements` numbers and
  ///   four matrices of the shape of `x`.
  /// - Numerics: blocks are added in their order, so the result is the same on any number of
  ///   lanes.
  public func symmetricInfoNCE(
    _ x: Variable, _ y: Variable, temperature: Float, blockElements: Int = 1 << 22
  ) -> Variable {
    precondition(
      x.value.hasSameShape(as: y.value), "symmetricInfoNCE of \(x.value.shape), \(y.value.shape)")
    precondition(temperature >= Self.smallestTemperature, "temperature \(temperature)")
    let (a, b) = (rowL2(x), rowL2(y))
    let count = a.rows
    let logits = PairLogits(
      a.value, b.value, temperature: temperature,
      block: matrix(rows: max(1, min(count, blockElements / max(1, count))), columns: count))
    let sums = logits.logarithmicSums()
    var total = 0.0
    for row in 0..<count {
      let (left, right) = (a.value.pointer + row * a.columns, b.value.pointer + row * b.columns)
      let logit = BLAS.dot(left, right, count: a.columns) / temperature
      total += (sums.rows[row] + sums.columns[row]) / 2 - Double(logit)
    }
    let divisor = Float(max(1, count))
    var shares: (a: Matrix, b: Matrix)?
    if a.needsGradient || b.needsGradient {
      let made = (
        a: matrix(rows: count, columns: a.columns), b: matrix(rows: count, columns: b.columns)
      )
      logits.gradients(sums, ofA: made.a, ofB: made.b)
      shares = made
    }
    return record(scalar(Float(total / Double(divisor))), from: a, b) { [unowned self] gradient in
      guard let shares else { return }
      let factor = gradient.pointer[0] / (2 * divisor * temperature)
      for (variable, own, partner) in [(a, shares.a, b), (b, shares.b, a)] {
        accumulate(into: variable, elements: 2) { target, range, isFirst in
          add(own, scaledBy: factor, to: target, range, isFirst: isFirst)
          add(partner.value, scaledBy: -2 * factor, to: target, range, isFirst: false)
        }
      }
    }
  }

  /// The smallest τ of ``symmetricInfoNCE(_:_:temperature:blockElements:)``: with it e^{−2/τ}, the
  /// ratio of the smallest and the largest term of a sum, is still a normal 32-bit float.
  public static let smallestTemperature: Float = 0.025
}

/// G = a bᵀ / τ of unit rows, one block of rows at a time.
private struct PairLogits {
  /// ln Σ e^G of rows and of columns.
  struct Sums {
    var rows: [Double]
    var columns: [Double]
  }

  private let a: Matrix
  private let b: Matrix
  private let temperature: Float
  /// The memory of a block, `[rows of a block, J]`.
  private let block: Matrix

  init(_ a: Matrix, _ b: Matrix, temperature: Float, block: Matrix) {
    (self.a, self.b, self.temperature, self.block) = (a, b, temperature, block)
  }

  private var count: Int { a.rows }

  /// Calls `body` with each block's soft-max by rows (in the first of the block's rows), and the
  /// logarithms of its rows' sums.
  private func forEachBlock(_ body: (_ rows: Range<Int>, _ logSums: [Double]) -> Void) {
    for start in stride(from: 0, to: count, by: block.rows) {
      let rows = start..<min(count, start + block.rows)
      BLAS.multiply(
        BLAS.Block(a).rows(rows), .init(b), transposeB: true,
        into: BLAS.Block(block).rows(0..<rows.count), alpha: 1 / temperature)
      // Rows that a last, shorter block has not are those of the block before: finite, unused.
      let logSums = block.softmaxRows()
      body(rows, logSums)
    }
  }

  func logarithmicSums() -> Sums {
    var result = Sums(rows: [], columns: [])
    // Every logit is at most 1/τ: e^{G − 1/τ} is at most 1.
    let largest = 1 / Double(temperature)
    var columns = [Double](repeating: 0, count: count)
    forEachBlock { rows, logSums in
      result.rows += logSums[..<rows.count]
      let weights = logSums.map { exp($0 - largest) }
      columns.withUnsafeMutableBufferPointer { buffer in
        Lanes.current.forEachRange(of: count, elements: rows.count) { range in
          guard let sums = buffer.baseAddress else { return }
          for row in 0..<rows.count {
            let values = block.pointer + row * count
            for column in range { sums[column] += weights[row] * Double(values[column]) }
          }
        }
      }
    }
    result.columns = columns.map { log($0) + largest }
    return result
  }

  /// `(p + q) b` and `(p + q)ᵀ a`.
  func gradients(_ sums: Sums, ofA: Matrix, ofB: Matrix) {
    let largest = 1 / Double(temperature)
    let inverses = sums.columns.map { Float(exp(largest - $0)) }
    forEachBlock { rows, logSums in
      let weights = logSums.map { Float(exp($0 - largest)) }
      Lanes.current.forEachRange(of: rows.count, elements: 2 * count) { range in
        for row in range {
          let values = block.pointer + row * count
          inverses.withUnsafeBufferPointer { inverses in
            for column in 0..<count { values[column] *= 1 + weights[row] * inverses[column] }
          }
        }
      }
      let both = BLAS.Block(block).rows(0..<rows.count)
      BLAS.multiply(both, .init(b), into: BLAS.Block(ofA).rows(rows))
      BLAS.multiply(
        both, transposeA: true, BLAS.Block(a).rows(rows), into: .init(ofB),
        beta: rows.lowerBound == 0 ? 0 : 1)
    }
  }
}
