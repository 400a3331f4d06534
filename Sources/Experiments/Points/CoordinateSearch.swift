import Configuration
import Runtime

/// Searches a grid one setting after the other: Σ instead of ∏ of the numbers of values.
///
/// In the turn of a setting all its values are tried. Settings whose turn is over have the values
/// chosen for them; those whose turn is still to come have an initial value: 0 for the weight of a
/// term of the objective (``termWeights``), which turns the term off, and the first value for any
/// other setting. After each turn the best of *everything tried so far* by validation is kept, so a
/// term whose every weight hurts stays off.
///
/// - Source: the paper's search, `alpha1,alpha3,alpha2`: α₁ with α₂ = α₃ = 0, then α₃, then α₂.
package struct CoordinateSearch: Sendable {
  /// Settings whose initial value is 0.
  static let termWeights: Set<String> = ["alpha1", "alpha2", "alpha3", "synergy_weight"]

  private let order: [ConfigurationGrid.Axis]
  private let seeds: ConfigurationGrid.Axis?
  private let layers: [ConfigurationLayer]

  /// - Parameters:
  ///   - grid: holds the values.
  ///   - names: the settings in the order of their turns.
  /// - Throws: ``ExperimentError`` if a name has no values in the grid or is given twice, or if the
  ///   grid has settings other than the seed that are not named.
  package init(grid: ConfigurationGrid, order names: [String]) throws {
    var order: [ConfigurationGrid.Axis] = []
    for name in names {
      guard let axis = grid.axes.first(where: { $0.name == name }), name != Coordinate.seed else {
        let known = grid.axes.map(\.name).filter { $0 != Coordinate.seed }
        throw ExperimentError(
          .usage,
          "Cannot search '\(name)' (--coordinate): hyper_parameters gives values to "
            + "\(known.isEmpty ? "nothing" : known.joined(separator: ", ")); name one of these or "
            + "add it there.")
      }
      guard !order.contains(where: { $0.name == name }) else {
        throw ExperimentError(
          .usage, "Cannot search '\(name)' twice (--coordinate): name each setting once.")
      }
      order.append(axis)
    }
    let rest = grid.axes.filter { $0.name != Coordinate.seed && !names.contains($0.name) }
    guard rest.isEmpty else {
      throw ExperimentError(
        .usage,
        "Cannot search only \(names.joined(separator: ", ")) (--coordinate): hyper_parameters "
          + "also lists \(rest.map(\.name).joined(separator: ", ")); name them too, or give each "
          + "one value.")
    }
    self.order = order
    seeds = grid.axes.first { $0.name == Coordinate.seed }
    layers = grid.layers
  }

  /// How many runs the whole search takes at most.
  package var runCount: Int {
    order.reduce(0) { $0 + $1.values.count } * (seeds?.values.count ?? 1)
  }

  /// How many turns there are.
  package var turnCount: Int { order.count }

  /// The value of every setting before the first turn.
  ///
  /// - Throws: `ConfigurationError` for a setting that does not exist.
  package func start() throws -> [ConfigurationGrid.Value] {
    try order.map { axis in
      guard Self.termWeights.contains(axis.name) else { return axis.values[0] }
      return ConfigurationGrid.Value(
        name: axis.name, value: "0",
        layer: try ConfigurationLayer(
          option: "--coordinate, before its turn", key: axis.name, value: "0"))
    }
  }

  /// The points of a turn, with all seeds.
  ///
  /// - Parameter chosen: the value of every setting so far, in the order of the turns.
  package func points(turn: Int, chosen: [ConfigurationGrid.Value]) -> [SweepPoint] {
    let seeds = seeds?.values.map { [$0] } ?? [[]]
    var points: [SweepPoint] = []
    for value in order[turn].values {
      var tried = chosen
      tried[turn] = value
      for seed in seeds {
        let values = tried + seed
        points.append(
          SweepPoint(
            coordinates: values.map { Coordinate(name: $0.name, value: $0.value) },
            layers: layers + values.map(\.layer)))
      }
    }
    return points
  }

  /// The values that are kept after a turn: those of the best point so far, or those chosen before
  /// if no point has a result.
  ///
  /// - Parameter best: the coordinates of the best point by validation.
  package func chosen(
    before chosen: [ConfigurationGrid.Value], best: [Coordinate]?
  ) -> [ConfigurationGrid.Value] {
    guard let best else { return chosen }
    return zip(order, chosen).map { axis, waiting in
      let isBest = { (value: ConfigurationGrid.Value) in
        best.contains(Coordinate(name: value.name, value: value.value))
      }
      return axis.values.first(where: isBest) ?? waiting
    }
  }
}

extension CoordinateSearch {
  /// Trains the runs of all turns.
  ///
  /// - Parameter run: trains the runs of some points and returns those that there are.
  /// - Returns: all runs, in the order of the turns.
  package func run(_ run: ([SweepPoint]) throws -> [SweepRun]) throws -> [SweepRun] {
    var chosen = try start()
    var all: [SweepRun] = []
    for turn in 0..<turnCount {
      let points = points(turn: turn, chosen: chosen)
      let runs = try run(points)
      all += runs
      // Without all results of this turn the next one would start from the wrong values.
      guard runs.count == points.count, runs.allSatisfy({ $0.state.isOver }) else { break }
      chosen = self.chosen(
        before: chosen, best: SeedGroup.grouping(all).bestByValidation?.coordinates)
    }
    return all
  }
}
