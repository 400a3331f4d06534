import Protocol
import Recommenders

/// What a ranking counts of the lists of all users together.
package struct ExposurePlan: Sendable, Equatable {
  /// Of the catalogue.
  package let itemCount: Int
  /// What every block of users counts.
  package let keys: [Exposure.Key]
  /// What is made of the counts.
  package let metrics: [Metric]
  /// Bytes that the counts of a block take in a report at most.
  let bytesPerBlock: Int

  /// - Parameters:
  ///   - metrics: of the run.
  ///   - cutoffs: of the metrics.
  ///   - usersPerBlock: of the ranking.
  /// - Returns: nil if no metric needs counts.
  package init?(metrics: [Metric], cutoffs: [Int], itemCount: Int, usersPerBlock: Int) {
    self.metrics = metrics.filter { !$0.isPerUser }
    guard !self.metrics.isEmpty else { return nil }
    self.itemCount = itemCount
    let names = EvaluationSplit.names
    keys = [names.valid, names.test].flatMap { split in
      Set(cutoffs).sorted().map { Exposure.Key(split: split, cutoff: $0) }
    }
    bytesPerBlock = keys.reduce(0) { sum, key in
      // A number takes one byte, and one more for every power of 128 that it reaches. Gaps add up
      // to the number of items at most, counts to the length of all lists.
      let places = usersPerBlock * min(key.cutoff, itemCount)
      let entries = min(places, itemCount)
      return sum + 2 * entries + (itemCount + places) / 127 + Self.bytesPerName
    }
  }

  /// Name, lengths and tags of counts in a message, generously.
  private static let bytesPerName = 128
}

/// Adds up how often each item was recommended, block by block as they come: whole numbers have the
/// same sum in any order, and no block needs to be kept.
struct ExposureTotals: Sendable, Equatable {
  private let plan: ExposurePlan
  /// In the order of the plan's keys.
  private var exposures: [Exposure]

  init(_ plan: ExposurePlan) {
    self.plan = plan
    exposures = plan.keys.map { _ in Exposure(itemCount: plan.itemCount) }
  }

  /// Adds the counts of some blocks.
  ///
  /// - Returns: the problem of a report, to follow "reported", after which the totals cannot be
  ///   used; nil if there is none.
  mutating func add(_ reports: [UnitReport]) -> String? {
    for report in reports {
      guard Set(report.counts.keys) == Set(plan.keys.map(\.name)) else {
        return "other counts of block \(report.unit) than the run's metrics need"
      }
      for (index, key) in plan.keys.enumerated() {
        guard let counts = report.counts[key.name] else { continue }
        guard exposures[index].add(counts.pairs) else {
          return "counts of items in block \(report.unit) that the data set does not have"
        }
      }
    }
    return nil
  }

  /// The values of the metrics, by `SPLIT.METRIC`, in the splits that have users.
  func values(ofSplits splits: some Collection<String>) -> [String: Double] {
    var values: [String: Double] = [:]
    for (key, exposure) in zip(plan.keys, exposures) where splits.contains(key.split) {
      for (name, value) in exposure.values(of: plan.metrics, at: key.cutoff) {
        values["\(key.split).\(name)"] = value
      }
    }
    return values
  }
}
