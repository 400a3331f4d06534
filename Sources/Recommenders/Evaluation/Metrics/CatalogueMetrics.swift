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

  /// The mean, over the items of a user's list, of the number of training interactions that the
  /// item is in.
  ///
  /// - Source: RecBole's `AveragePopularity`.
  public static let popularity = Metric(
    "popularity", ranksModels: false, isStandard: false,
    summary: "the mean number of training interactions of the recommended items",
    .list { list in
      let sum = list.items.reduce(0) { $0 + Int(list.trainingCounts[$1]) }
      return Double(sum) / Double(max(1, list.items.count))
    })
}
