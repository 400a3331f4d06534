/// A sum over the whole batch of which one shard knows only its part.
///
/// Most losses are means over the batch and simply add up over shards; the un-squared norm of the
/// regularisers is not: its gradient needs the sum of squares of *all* shards. The operation
/// leaves its part here; the trainer adds the parts in shard order and resolves them.
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
