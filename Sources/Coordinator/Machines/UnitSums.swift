import Protocol
import Recommenders

/// Adds the reports of a phase in the order of their units (shards, blocks), in `Double`, so that
/// the totals have the same bits in whatever order the reports came.
package struct UnitSums: Sendable, Equatable {
  /// Sums by name. A name that some units lack counts as 0 there.
  package let totals: [String: Double]

  package init(_ reports: [UnitReport]) {
    var totals: [String: Double] = [:]
    for report in reports.sorted(by: { $0.unit < $1.unit }) {
      for (name, sum) in report.sums { totals[name, default: 0] += sum }
    }
    self.totals = totals
  }

  /// What an epoch reports: `loss.…` and `stat.…` are shares of every step's value, so that the
  /// total divided by the number of steps is the mean over the steps; all others stay sums. Where
  /// staleness was counted, its mean and maximum are added.
  package func epochValues(stepsPerEpoch: UInt32) -> [String: Double] {
    var values = totals
    for (name, sum) in totals where name.hasPrefix("loss.") || name.hasPrefix("stat.") {
      values[name] = sum / Double(stepsPerEpoch)
    }
    if let staleness = StalenessCounts(totals) { values.merge(staleness.values) { $1 } }
    return values
  }

  /// What an evaluation reports: `SPLIT.METRIC` is a sum over the users of a split and becomes the
  /// mean over `SPLIT.users`, which itself stays a count. A split without users has none. Sums
  /// of squares become standard errors, for at least two users.
  package func evaluationMeans() -> (metrics: [String: Double], users: [String: Double]) {
    var metrics: [String: Double] = [:]
    var users: [String: Double] = [:]
    for (name, sum) in totals {
      guard let dot = name.firstIndex(of: ".") else { continue }
      let split = String(name[..<dot])
      if let sampled = SampleSplit.ofSquares(split) {
        let metric = name[name.index(after: dot)...]
        guard let count = totals["\(sampled).users"], count > 1,
          let total = totals["\(sampled).\(metric)"]
        else { continue }
        metrics["\(SampleSplit.standardError(of: sampled)).\(metric)"] =
          SampleSplit.standardError(sum: total, squares: sum, count: count)
        continue
      }
      guard let count = totals["\(split).users"], count > 0 else { continue }
      if name == "\(split).users" { users[split] = sum } else { metrics[name] = sum / count }
    }
    return (metrics, users)
  }
}
