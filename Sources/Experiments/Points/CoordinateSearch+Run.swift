import RunConfiguration

extension CoordinateSearch {
  /// Makes the runs of all turns.
  ///
  /// - Parameter run: makes the runs of some points and returns those that there are.
  /// - Returns: all runs, in the order of the turns.
  public func run(_ run: ([SweepPoint]) throws -> [SweepRun]) throws -> [SweepRun] {
    var chosen = try start()
    var all: [SweepRun] = []
    for turn in 0..<turnCount {
      let points = points(turn: turn, chosen: chosen)
      let runs = try run(points)
      all += runs
      // Without the results of this turn the next would search beside the point.
      guard runs.count == points.count, runs.allSatisfy({ $0.state.isOver }) else { break }
      chosen = self.chosen(
        before: chosen, best: SeedGroup.grouping(all).bestByValidation?.coordinates)
    }
    return all
  }
}
