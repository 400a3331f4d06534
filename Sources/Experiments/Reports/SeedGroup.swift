import Coordinator
import Foundation

/// The repetitions of one experiment: runs that differ only in their seed.
package struct SeedGroup: Sendable, Equatable {
  /// What the runs share, without the seed.
  package let coordinates: [Coordinate]
  package private(set) var runs: [SweepRun]

  /// Groups the runs of one sweep by their coordinates without the seed, in the order in which the
  /// groups first appear; a run that is listed twice counts once.
  package static func grouping(_ runs: [SweepRun]) -> [SeedGroup] {
    grouping(runs) { $0.coordinates.acrossSeeds }
  }

  /// Groups runs that may come from different grids, whose coordinates do not name all settings.
  static func groupingRepetitions(_ runs: [SweepRun]) -> [SeedGroup] {
    grouping(runs, by: \.repetitionDigest)
  }

  private static func grouping(
    _ runs: [SweepRun], by key: (SweepRun) -> some Hashable
  ) -> [SeedGroup] {
    var groups: [SeedGroup] = []
    var positions: [AnyHashable: Int] = [:]
    for run in runs {
      if let position = positions[key(run)] {
        if !groups[position].runs.contains(where: { $0.identity == run.identity }) {
          groups[position].runs.append(run)
        }
      } else {
        positions[key(run)] = groups.count
        groups.append(SeedGroup(coordinates: run.coordinates.acrossSeeds, runs: [run]))
      }
    }
    return groups
  }

  /// Whether every run finished. Otherwise the group cannot be chosen: its mean is over other seeds
  /// than the others'.
  package var isComplete: Bool { runs.allSatisfy { $0.state == .finished } }

  /// A metric over the finished runs.
  package func statistics(_ metric: String, _ split: Split) -> MeanAndDeviation? {
    MeanAndDeviation(
      runs.filter { $0.state == .finished }.compactMap { $0.result?.value(metric, split) })
  }
}

extension [SeedGroup] {
  /// The complete group with the highest mean of its selection metric on validation; the first one
  /// if several are equal.
  var bestByValidation: SeedGroup? {
    var best: (group: SeedGroup, value: Double)?
    for group in self where group.isComplete {
      guard let metric = group.runs.first?.selectionMetric,
        let value = group.statistics(metric, .valid)?.mean, !value.isNaN
      else { continue }
      if value > best?.value ?? -.infinity { best = (group, value) }
    }
    return best?.group
  }
}

extension [SweepRun] {
  /// What MMRec's driver would have reported: the single run (seeds are points of its grid like any
  /// other setting) with the highest selection metric *on test*, compared after rounding to 4
  /// decimals; the first one if several are equal. Its test value is no fair estimate, because the
  /// run was chosen by it.
  ///
  /// - Source: MMRec e775373, `quick_start`.
  var bestByTest: SweepRun? {
    var best: (run: SweepRun, value: Double)?
    for run in self {
      guard let value = run.selectionValue(.test), !value.isNaN else { continue }
      let rounded = SelectionRule.Rounding.fourDecimals.apply(to: value)
      if rounded > best?.value ?? -.infinity { best = (run, rounded) }
    }
    return best?.run
  }
}

/// The mean and the sample standard deviation of some values.
package struct MeanAndDeviation: Sendable, Equatable, Encodable {
  package let mean: Double
  /// The sample standard deviation (divisor n − 1); nil for a single value.
  package let deviation: Double?
  /// The number of values, n.
  package let count: Int

  /// nil without values.
  package init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    count = values.count
    let mean = values.reduce(0, +) / Double(values.count)
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil
  }

  /// `0.1745 ± 0.0021`, or without the deviation if there is none.
  package var text: String {
    let mean = String(format: "%.4f", mean)
    return deviation.map { mean + String(format: " ± %.4f", $0) } ?? mean
  }
}
