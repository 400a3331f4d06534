import RunConfiguration

/// One run of a sweep before anything of it is resolved.
public struct SweepPoint: Sendable {
  /// What tells it from the other points, in the order of the grid, with the seed.
  public let coordinates: [Coordinate]
  /// All layers that were asked for, lowest first.
  let layers: [ConfigurationLayer]

  /// The coordinates for people: `alpha1=0.05 seed=1`.
  public var name: String { coordinates.text }

  /// All points of a grid, in its order.
  public static func all(of grid: ConfigurationGrid) -> [SweepPoint] {
    grid.points.map { values in
      SweepPoint(
        coordinates: values.map { Coordinate(name: $0.name, value: $0.value) },
        layers: grid.layers + values.map(\.layer))
    }
  }

  /// The points of some settings with each seed.
  ///
  /// - Parameter origin: who asked for the seeds, for errors.
  static func repeated(
    _ coordinates: [Coordinate], layers: [ConfigurationLayer], seeds: [Int], origin: String
  ) throws -> [SweepPoint] {
    try seeds.map { seed in
      SweepPoint(
        coordinates: coordinates + [Coordinate(name: Coordinate.seed, value: "\(seed)")],
        layers: layers + [
          try ConfigurationLayer(option: origin, key: Coordinate.seed, value: "\(seed)")
        ])
    }
  }
}
