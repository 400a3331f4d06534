import Configuration

/// One run of a sweep before its settings are resolved.
package struct SweepPoint: Sendable {
  /// What distinguishes it from the other points, in the order of the grid, with the seed.
  package let coordinates: [Coordinate]
  /// All requested layers, lowest first.
  let layers: [ConfigurationLayer]

  /// The coordinates as text: `alpha1=0.05 seed=1`.
  package var name: String { coordinates.text }

  /// All points of a grid, in its order.
  package static func all(of grid: ConfigurationGrid) -> [SweepPoint] {
    grid.points.map { values in
      SweepPoint(
        coordinates: values.map { Coordinate(name: $0.name, value: $0.value) },
        layers: grid.layers + values.map(\.layer))
    }
  }

  /// The points of some settings with each seed.
  ///
  /// - Parameter origin: the option that names the seeds, for errors.
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

/// What distinguishes a run from others: a setting and its value, or the name of a variant.
package struct Coordinate: Sendable, Hashable, Codable {
  /// The name of the seed's coordinate: runs that differ in nothing else are repetitions.
  static let seed = "seed"

  package let name: String
  package let value: String

  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

extension [Coordinate] {
  /// All but the seed: what the repetitions of an experiment share.
  package var acrossSeeds: [Coordinate] { filter { $0.name != Coordinate.seed } }

  /// The value under a name.
  package func value(of name: String) -> String? { first { $0.name == name }?.value }

  /// `alpha1=0.05 seed=1`.
  package var text: String { map { "\($0.name)=\($0.value)" }.joined(separator: " ") }
}

extension [[Coordinate]] {
  /// All names, each once, in the order in which they appear.
  package var names: [String] {
    joined().map(\.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
