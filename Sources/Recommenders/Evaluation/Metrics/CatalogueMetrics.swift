internal import Foundation

/// How the catalogue is used, whether or not users find their items.
extension Metric {
  /// The share of all items that are in the list of at least one user.
  ///
  /// - Source: RecBole's `ItemCoverage`.
  public static let coverage = Metric(
    "coverage", ranksModels: true, isStandard: false,
    summary: "the share of all items that are in at least one user's list",
    .exposure { exposure in
      let recommended = exposure.counts.count { $0 > 0 }
      return Double(recommended) / Double(max(1, exposure.counts.count))
    })

  /// The Gini index of how often the n items of the catalogue are recommended, those that never
  /// are included: with the counts c₁ ≤ … ≤ c_n, Σ_i (2i − n − 1)·c_i / ((n − 1)·Σ_i c_i). It is 0
  /// when all items are recommended equally often, and 1 when a single one is; lower is fairer.
  ///
  /// - Source: RecBole's `GiniIndex`, which divides by n in place of n − 1 and so stays below 1.
  public static let gini = Metric(
    "gini", ranksModels: false, isStandard: false,
    summary: "how unequally items are recommended, 0 (equally) to 1 (a single one)",
    .exposure { exposure in
      let n = Int128(exposure.counts.count)
      var total: Int128 = 0
      var weighted: Int128 = 0
      for (index, count) in exposure.counts.sorted().enumerated() {
        total += Int128(count)
        weighted += (2 * Int128(index + 1) - n - 1) * Int128(count)
      }
      // Whole numbers up to here, so the order of addition does not matter.
      return n > 1 && total > 0 ? Double(weighted) / Double((n - 1) * total) : 0
    })

  /// Shannon's entropy, in bits, of which item a place in a list has: −Σ_i p_i·log₂ p_i, with p_i
  /// the share of all places that item i has. It is log₂ I when all I items are recommended equally
  /// often, and 0 when a single one is.
  ///
  /// - Source: Shannon 1948, "A mathematical theory of communication", §6; of recommended items in
  ///   Shani and Gunawardana 2011, "Evaluating recommendation systems" (Recommender Systems
  ///   Handbook). Deviation from RecBole's `ShannonEntropy`: that is in nats and divided by the
  ///   number of recommended items.
  public static let entropy = Metric(
    "entropy", ranksModels: false, isStandard: false,
    summary: "how evenly items are recommended, in bits: 0 (a single one) to log2 of all items",
    .exposure { exposure in
      let total = Double(exposure.counts.reduce(0, +))
      // In the order of the items, whatever workers counted them.
      return exposure.counts.reduce(0.0) { sum, count in
        guard count > 0 else { return sum }
        let share = Double(count) / total
        return sum - share * log2(share)
      }
    })
}
