internal import Tensors

extension Tape {
  /// The Frobenius norm of the batch matrix `x[indices]`, **not squared**, over all shards.
  ///
  ///     n = √( Σ_shards Σ_b ‖x[index_b]‖² )
  ///
  /// A row that occurs several times counts several times. The value is 0 until the reduction is
  /// resolved.
  ///
  /// - Parameters:
  ///   - x: `[J, D]`.
  ///   - indices: rows of `x`, one per batch entry of this shard.
  /// - Returns: `[1, 1]`; the same on every shard. Its gradient is with respect to this shard's
  ///   rows: `dx[j] = count_j · x[j] / n`, and 0 where n = 0.
  /// - Numerics: sums of squares in `Double`, in the order of the rows.
  public func gatheredNorm(_ x: Variable, _ indices: [Int32]) -> Variable {
    let width = x.columns
    var counts = [Float](repeating: 0, count: x.rows)
    for index in indices { counts[Int(index)] += 1 }
    var part = 0.0
    for row in 0..<x.rows where counts[row] > 0 {
      part +=
        Double(counts[row])
        * Double(
          BLAS.dot(x.value.pointer + row * width, x.value.pointer + row * width, count: width))
    }
    let value = scalar(0)
    let reduction = Reduction(part: part) { total in
      value.pointer[0] = Float(total.squareRoot())
    }
    reductions.append(reduction)
    return record(value, from: x) { [unowned self] gradient in
      let norm = value.pointer[0]
      guard norm > 0 else { return }
      let scale = gradient.pointer[0] / norm
      scatter(into: x) { target in
        for row in 0..<x.rows where counts[row] > 0 {
          BLAS.accumulate(
            x.value.pointer + row * width, scaledBy: scale * counts[row],
            into: target.pointer + row * width, count: width)
        }
      }
    }
  }
}
