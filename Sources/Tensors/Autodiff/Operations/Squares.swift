extension Tape {
  /// Half the sum of squares of the batch matrix `x[indices]`, times a constant.
  ///
  ///     L = scale · ½ Σ_b ‖x[index_b]‖²
  ///
  /// A row that occurs several times counts several times. Unlike ``gatheredNorm(_:_:)`` it adds
  /// up over shards.
  ///
  /// - Parameters:
  ///   - x: `[J, D]`.
  ///   - indices: rows of `x`, one per batch entry.
  /// - Returns: `[1, 1]`; `dx[j] = scale · count_j · x[j]`.
  /// - Numerics: the sum in `Double`, in the order of the rows (in fixed ranges; see ``Lanes``).
  public func gatheredHalfSquares(
    _ x: Variable, _ indices: [Int32], scale: Float
  ) -> Variable {
    var counts = [Float](repeating: 0, count: x.rows)
    for index in indices { counts[Int(index)] += 1 }
    let total = weightedSquares(x, counts)
    return record(scalar(Float(total / 2) * scale), from: x) { [unowned self] gradient in
      addWeighted(x, counts, scaledBy: gradient.pointer[0] * scale)
    }
  }

  /// `Σ_j count_j · ‖x[j]‖²`, in `Double`.
  func weightedSquares(_ x: Variable, _ counts: [Float]) -> Double {
    let width = x.columns
    return Lanes.current.sum(of: x.rows, elements: width) { rows in
      var total = 0.0
      for row in rows where counts[row] > 0 {
        let start = x.value.pointer + row * width
        total += Double(counts[row]) * Double(BLAS.dot(start, start, count: width))
      }
      return total
    }
  }

  /// Adds `scale · count_j · x[j]` to each row of the gradient of x.
  func addWeighted(_ x: Variable, _ counts: [Float], scaledBy scale: Float) {
    let width = x.columns
    accumulate(into: x, rowsCosting: width) { target, rows, isFirst in
      for row in rows {
        let destination = target.pointer + row * width
        if isFirst { destination.update(repeating: 0, count: width) }
        guard counts[row] > 0 else { continue }
        BLAS.accumulate(
          x.value.pointer + row * width, scaledBy: scale * counts[row], into: destination,
          count: width)
      }
    }
  }
}

extension Tape {
  /// The mean of the squares of a batch matrix's elements: `Σ_b ‖x[index_b]‖² / (count · D)`.
  ///
  /// - Parameters:
  ///   - x: `[J, D]`.
  ///   - indices: rows of `x`, one per entry of this shard's batch; nil means every row once.
  ///   - count: the entries of the whole step, so that shards add up.
  /// - Returns: `[1, 1]`; see ``gatheredHalfSquares(_:_:scale:)``.
  public func meanSquare(_ x: Variable, _ indices: [Int32]? = nil, count: Int) -> Variable {
    gatheredHalfSquares(
      x, indices ?? (0..<Int32(x.rows)).map { $0 }, scale: 2 / Float(max(1, count * x.columns)))
  }
}

extension Tape {
  /// The un-squared norm of a whole matrix: `‖x‖ = √(Σ_j ‖x[j]‖²)`.
  ///
  /// - Parameter x: `[J, D]`, the same in every shard; compare ``gatheredNorm(_:_:)``, which is
  ///   over the batches of all shards.
  /// - Returns: `[1, 1]`; `dx = x / ‖x‖`, and 0 for a matrix of zeros.
  public func norm(_ x: Variable) -> Variable {
    let counts = [Float](repeating: 1, count: x.rows)
    let norm = Float(weightedSquares(x, counts).squareRoot())
    return record(scalar(norm), from: x) { [unowned self] gradient in
      addWeighted(x, counts, scaledBy: norm > 0 ? gradient.pointer[0] / norm : 0)
    }
  }
}
