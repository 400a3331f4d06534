import Runtime

/// Which settings a search trains for how long: successive halving in three rungs, within a budget.
///
/// The defaults are trained to their end first, with one seed: that is the unit of the budget. Then
/// all other settings, the challengers, are trained for `rungs[0].epochs` with the same seed; the
/// best third of them continues, the same runs, to `rungs[1].epochs`; and the best one or two of
/// these continue to `rungs[2].epochs` and are trained as long with each of the other seeds, as are
/// the defaults.
///
/// Lengths grow by a half and by a third, instead of by the factor by which the settings become
/// fewer as in the source: what a seed changes is about as large as what the settings change, so
/// that repetitions are worth more than one long run.
///
/// - Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
///   Optimization", AISTATS 2016 (successive halving).
package struct HalvingSchedule: Sendable, Equatable {
  package struct Rung: Sendable, Equatable, Encodable {
    /// How many challengers it trains.
    package let challengers: Int
    /// With how many seeds.
    package let seeds: Int
    /// After how many epochs, in all, its runs are compared.
    package let epochs: Int
  }

  /// The share of the defaults' epochs that the first rung has at least: after fewer, settings that
  /// learn fast look better than they are.
  static let shortestShare = 0.1

  package let rungs: [Rung]
  /// After how many epochs settings could be compared, by the defaults' curve; at most a quarter of
  /// its epochs.
  package let epochsNeeded: Int

  /// Whether the budget is too small to compare after the epochs needed.
  package var isTooShort: Bool { rungs[0].epochs < epochsNeeded }

  /// - Parameters:
  ///   - challengers: how many there are; if the budget does not suffice for all, fewer are tried.
  ///   - seeds: how many, at least 2.
  ///   - defaults: the curve of the defaults, to their end.
  ///   - budget: in runs as long as that one, itself included.
  ///   - interval: epochs between two evaluations; lengths are multiples of it.
  /// - Throws: ``ExperimentError`` if the budget does not suffice for one challenger.
  /// - Precondition: there is a challenger.
  package init(
    challengers: Int, seeds: Int, defaults: ValidationCurve, budget: Double, interval: Int
  ) throws {
    precondition(challengers > 0 && seeds > 1 && interval > 0)
    let full = max(1, defaults.epochsRun)
    let left = (budget - 1) * Double(full)
    let share = Int((Self.shortestShare * Double(full)).rounded(.up))
    let needed = Self.multiple(
      of: interval, atLeast: max(share, min(defaults.epochsToSettle, full / 4)))
    epochsNeeded = needed
    let longest = Self.multiple(of: interval, atLeast: full)
    func schedule(_ count: Int, finalists: Int, shortest: Int) -> [Rung]? {
      stride(from: longest, through: shortest, by: -interval).lazy
        .map { Self.rungs(count, finalists, seeds, first: $0, longest: longest, interval) }
        .first { Double(Self.cost(of: $0)) <= left }
    }
    // All settings rather than two finalists; rungs that are too short rather than fewer than three
    // settings.
    for count in stride(from: challengers, through: min(challengers, 3), by: -1) {
      for finalists in [2, 1] {
        if let found = schedule(count, finalists: finalists, shortest: needed) {
          rungs = found
          return
        }
      }
    }
    for count in stride(from: min(challengers, 3), through: 1, by: -1) {
      if let found = schedule(count, finalists: 1, shortest: interval) {
        rungs = found
        return
      }
    }
    let least = Self.cost(
      of: Self.rungs(1, 1, seeds, first: interval, longest: longest, interval))
    throw ExperimentError(
      .usage,
      "Cannot search within \(budget) runs (--budget): the defaults took \(full) epochs, and to "
        + "compare them with other settings over \(seeds) seeds takes at least \(least) more; give "
        + "a budget of at least \(((Double(least) / Double(full) + 1) * 10).rounded(.up) / 10).")
  }

  private static func rungs(
    _ challengers: Int, _ finalists: Int, _ seeds: Int, first: Int, longest: Int, _ interval: Int
  ) -> [Rung] {
    let third = (challengers + 2) / 3
    let middle = multiple(of: interval, atLeast: first + first / 2)
    return [
      Rung(challengers: challengers, seeds: 1, epochs: first),
      Rung(challengers: third, seeds: 1, epochs: min(middle, longest)),
      Rung(challengers: min(finalists, third), seeds: seeds, epochs: min(2 * first, longest)),
    ]
  }

  /// How many epochs the rungs take at most, together. With the first seed every rung continues the
  /// runs of the one before, and the defaults are trained already.
  static func cost(of rungs: [Rung]) -> Int {
    var before = 0
    var sum = 0
    for rung in rungs {
      sum += rung.challengers * max(0, rung.epochs - before)
      sum += (rung.challengers + 1) * (rung.seeds - 1) * rung.epochs
      before = max(before, rung.epochs)
    }
    return sum
  }

  /// How many epochs the rungs take at most, without the run of the defaults.
  package var cost: Int { Self.cost(of: rungs) }

  private static func multiple(of interval: Int, atLeast epochs: Int) -> Int {
    (max(1, epochs) + interval - 1) / interval * interval
  }

  /// Some of the challengers, spread over their list.
  ///
  /// - Source: Weyl, "Über die Gleichverteilung von Zahlen mod. Eins", 1916: the multiples of an
  ///   irrational number are uniform modulo 1, so that no stride of a grid is preferred.
  /// - Returns: ascending positions in `0..<total`.
  package static func spread(_ count: Int, of total: Int) -> [Int] {
    let golden = 0.618_033_988_749_894_8
    let order = (0..<total).sorted {
      (Double($0) * golden).truncatingRemainder(dividingBy: 1)
        < (Double($1) * golden).truncatingRemainder(dividingBy: 1)
    }
    return order.prefix(count).sorted()
  }
}
