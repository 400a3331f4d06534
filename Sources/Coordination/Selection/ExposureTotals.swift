import Evaluation
import Messages

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
  /// - Returns: what is wrong with a report, to go behind "reported"; nil: nothing. The totals are
  ///   of no use then.
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
