/// A sum over the whole batch, of which a shard has only its own part.
///
/// Most losses are means over the batch and simply add up over shards. The un-squared norm of the
/// regularisers does not: its gradient needs the sum of squares of *all* shards. The operation
/// stores its part here; the worker adds the parts of all shards in shard order and resolves the
/// reduction.
public final class Reduction {
  /// This shard's part.
  public let part: Double
  /// The sum over all shards, once known.
  public internal(set) var total: Double?
  let whenResolved: (Double) -> Void

  init(part: Double, whenResolved: @escaping (Double) -> Void) {
    self.part = part
    self.whenResolved = whenResolved
  }
}

extension Tape {
  /// Gives each pending reduction its sum over all shards.
  ///
  /// - Precondition: one total per reduction, in their order.
  public func resolve(_ totals: [Double]) {
    precondition(
      totals.count == reductions.count, "\(totals.count) totals, \(reductions.count) reductions")
    for (reduction, total) in zip(reductions, totals) {
      reduction.total = total
      reduction.whenResolved(total)
    }
  }
}

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
  /// - Numerics: sums of squares in `Double`, in the order of the rows (in fixed ranges; see
  ///   ``Lanes``).
  public func gatheredNorm(_ x: Variable, _ indices: [Int32]) -> Variable {
    var counts = [Float](repeating: 0, count: x.rows)
    for index in indices { counts[Int(index)] += 1 }
    let value = scalar(0)
    let reduction = Reduction(part: weightedSquares(x, counts)) { total in
      value.pointer[0] = Float(total.squareRoot())
    }
    reductions.append(reduction)
    return record(value, from: x) { [unowned self] gradient in
      let norm = value.pointer[0]
      guard norm > 0 else { return }
      addWeighted(x, counts, scaledBy: gradient.pointer[0] / norm)
    }
  }
}
