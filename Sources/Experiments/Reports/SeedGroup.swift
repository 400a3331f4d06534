import Coordination

/// The repetitions of one experiment: runs that differ in nothing but their seed.
public struct SeedGroup: Sendable, Equatable {
  /// What the runs share, without the seed.
  public let coordinates: [Coordinate]
  public private(set) var runs: [SweepRun]

  /// Groups the runs of one sweep by what tells them apart, in the order in which the groups appear
  /// first; a run that comes twice counts once.
  public static func grouping(_ runs: [SweepRun]) -> [SeedGroup] {
    grouping(runs) { $0.coordinates.acrossSeeds }
  }

  /// Groups runs that may come from different grids, whose coordinates do not say all.
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

  /// Whether every run finished. A group that lacks one cannot win: its mean is over other seeds.
  public var isComplete: Bool { runs.allSatisfy { $0.state == .finished } }

  /// A metric over the runs that finished.
  public func statistics(_ metric: String, _ split: Split) -> MeanAndDeviation? {
    MeanAndDeviation(
      runs.filter { $0.state == .finished }.compactMap { $0.result?.value(metric, split) })
  }
}

extension [SeedGroup] {
  /// The complete group with the highest mean of its selection metric on validation; the first of
  /// equals.
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
  /// What MMRec's driver would have reported: the single run, seeds being points of the grid like
  /// any other, with the highest selection metric *on test*, compared after rounding to 4 decimals;
  /// the first of equals. Its test value is no estimate of anything: it was chosen by it.
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
