import Foundation

/// The expected numbers of distinct users and items in a part of a batch.
///
/// A part of n triplets has n of the E training interactions of an epoch, drawn without
/// replacement, and as many negatives, drawn with replacement from the N items that occur in
/// training. With d the training interactions of a row,
///
///     E[distinct users] = Σ_u 1 − (1 − n/E)^d_u
///     E[distinct items] = Σ_i 1 − (1 − n/E)^d_i · (1 − 1/N)^n
///
/// The power stands for C(E − d, n) / C(E, n), from which it differs by less than n d² / E², and
/// negatives that a user has already, which are drawn again, are left out.
package struct DistinctRows: Sendable, Equatable {
  package var users: Double
  package var items: Double

  package init(users: Double, items: Double) {
    self.users = users
    self.items = items
  }

  /// - Parameter triplets: n.
  package init(in triplets: Double, of counts: InteractionCounts) {
    let share = min(1, triplets / max(1, counts.total))
    func present(_ group: InteractionCounts.Group, absentNegatives: Double) -> Double {
      group.count * (1 - pow(1 - share, group.degree) * absentNegatives)
    }
    users = counts.users.reduce(0) { $0 + present($1, absentNegatives: 1) }
    let pool = counts.poolSize
    let absent = pool > 1 ? exp(triplets * log1p(-1 / pool)) : 0
    items = counts.items.reduce(0) {
      $0 + ($1.degree > 0 ? present($1, absentNegatives: absent) : 0)
    }
  }

  /// The mean over the steps of an epoch, of which the last one is shorter.
  ///
  /// - Parameters:
  ///   - share: of each step's batch, such as one shard of V.
  ///   - batchSize: B, the triplets of a full step.
  ///   - epochSteps: the most steps of an epoch; 0 if it has all interactions.
  package static func meanOfEpoch(
    share: Double, batchSize: Int, epochSteps: Int = 0, of counts: InteractionCounts
  ) -> DistinctRows {
    meanOfEpoch(share: share, batchSize: batchSize, epochSteps: epochSteps, of: counts) {
      DistinctRows(in: $0, of: counts)
    }
  }

  /// - Parameter rows: of a number of triplets.
  fileprivate static func meanOfEpoch(
    share: Double, batchSize: Int, epochSteps: Int, of counts: InteractionCounts,
    _ rows: (_ triplets: Double) -> DistinctRows
  ) -> DistinctRows {
    let total = counts.total
    let full = (total / Double(batchSize)).rounded(.down)
    let rest = total - full * Double(batchSize)
    let whole = rows(share * Double(batchSize))
    let isCut = epochSteps > 0 && Double(epochSteps) <= full
    guard rest >= 1, !isCut else { return whole }
    let last = rows(share * rest)
    return DistinctRows(
      users: (full * whole.users + last.users) / (full + 1),
      items: (full * whole.items + last.items) / (full + 1))
  }
}

/// The rows that a part of a batch needs.
package struct PartRows: Sendable, Equatable {
  /// Its users and items.
  package let batch: DistinctRows
  /// With their sampled neighbours; nil where none are sampled.
  package let neighbourhood: DistinctRows?

  /// - Parameter sampling: nil where no neighbours are sampled.
  package init(
    share: Double, batchSize: Int, epochSteps: Int = 0, of counts: InteractionCounts,
    sampling: SampledNeighbours?
  ) {
    batch = .meanOfEpoch(
      share: share, batchSize: batchSize, epochSteps: epochSteps, of: counts)
    neighbourhood = sampling.map { sampling in
      .meanOfEpoch(share: share, batchSize: batchSize, epochSteps: epochSteps, of: counts) {
        sampling.rows(in: $0, of: counts)
      }
    }
  }

  /// All rows that are computed with.
  var all: DistinctRows { neighbourhood ?? batch }
}
