import Configuration
import Foundation
import Runtime
import Settings

/// The settings that a search compares: the defaults, and others around them.
package struct SearchSpace: Sendable {
  /// Settings before they are resolved.
  package struct Candidate: Sendable {
    /// The value of every setting of the space.
    package let coordinates: [Coordinate]
    /// All requested layers, lowest first.
    let layers: [ConfigurationLayer]
  }

  /// Resolves layers into a configuration.
  package typealias Resolve = ([ConfigurationLayer]) throws -> RunConfiguration

  /// The defaults first; no two train the same model.
  package let candidates: [Candidate]
  /// The configuration of the defaults.
  package let defaults: RunConfiguration

  /// Steps from a setting's value to others.
  private enum Step {
    case times(Double)
    /// The value, unless the setting has it already.
    case to(Double)
  }

  /// The weights of the objective and the limit of its gate, one of them changed at a time: nine
  /// settings instead of the 243 of a grid.
  private static let objectiveSteps: [(name: String, steps: [Step])] = [
    ("synergy_weight", [.times(0.5), .times(2)]), ("alpha1", [.to(0), .times(5)]),
    ("alpha3", [.to(0), .times(2.5)]), ("alpha2", [.to(0), .to(0.05)]),
    ("gate_limit", [.times(0.3), .times(3)]),
  ]

  /// Without the objective: what every model has.
  private static let plainSteps: [(name: String, steps: [Step])] = [
    ("learning_rate", [.times(0.5), .times(2)]), ("reg_weight", [.times(0.1), .times(10)]),
  ]

  /// The space without `--space`: around the values of `layers`, one setting changed at a time.
  /// MRdIB: `synergy_weight` × ½ and × 2, `alpha1` 0 and × 5, `alpha3` 0 and × 2.5, `alpha2` 0
  /// and .05, `gate_limit` × .3 and × 3. The plain model: `learning_rate` × ½ and × 2,
  /// `reg_weight` × .1 and × 10. Values that a setting refuses, or that change nothing, are left
  /// out.
  ///
  /// - Parameter layers: the user's settings, lowest first.
  /// - Throws: `ConfigurationError` if they are wrong.
  package static func standard(
    _ layers: [ConfigurationLayer], resolve: Resolve
  ) throws -> SearchSpace {
    let defaults = try resolve(layers)
    let all = defaults.model.objective == .mrdib ? objectiveSteps : plainSteps
    let present = all.filter { step in
      defaults.decisiveSettings.contains { $0.name == step.name }
    }
    let names = present.map(\.name)
    var others: [Candidate] = []
    for (name, steps) in present {
      guard let value = defaults.value(of: name).flatMap({ Double($0) }) else { continue }
      for step in steps {
        let target =
          switch step {
          case .times(let factor): value * factor
          case .to(let target): target
          }
        let layer = try ConfigurationLayer(
          option: "the search space", key: name, value: String(format: "%.4g", target))
        // Outside of the setting's range.
        guard let changed = try? resolve(layers + [layer]) else { continue }
        others.append(
          Candidate(coordinates: coordinates(names, of: changed), layers: layers + [layer]))
      }
    }
    return try SearchSpace(
      defaults: Candidate(coordinates: coordinates(names, of: defaults), layers: layers),
      others: others, resolve: resolve)
  }

  /// The points of a grid, and the defaults. Seeds of the grid do not count: a search has seeds of
  /// its own.
  ///
  /// - Parameter defaults: the layers of the defaults, lowest first.
  /// - Throws: `ConfigurationError` for settings that are wrong or contradict each other.
  package init(
    _ grid: ConfigurationGrid, defaults: [ConfigurationLayer], resolve: Resolve
  ) throws {
    let axes = grid.axes.filter { $0.name != Coordinate.seed }
    let names = axes.map(\.name)
    var points: [[ConfigurationGrid.Value]] = [[]]
    for axis in axes { points = points.flatMap { point in axis.values.map { point + [$0] } } }
    let others = try points.map { values in
      let layers = grid.layers + values.map(\.layer)
      return Candidate(
        coordinates: Self.coordinates(names, of: try resolve(layers)), layers: layers)
    }
    try self.init(
      defaults: Candidate(
        coordinates: Self.coordinates(names, of: try resolve(defaults)), layers: defaults),
      others: others, resolve: resolve)
  }

  /// Leaves out what trains the same model as one before.
  private init(defaults: Candidate, others: [Candidate], resolve: Resolve) throws {
    self.defaults = try resolve(defaults.layers)
    var seen: Set<String> = []
    candidates = try ([defaults] + others).filter {
      seen.insert(try resolve($0.layers).digestAcrossSeeds).inserted
    }
  }

  private static func coordinates(
    _ names: [String], of configuration: RunConfiguration
  ) -> [Coordinate] {
    names.map { Coordinate(name: $0, value: configuration.value(of: $0) ?? "") }
  }

  /// The settings of a candidate that differ from the defaults, as text: `alpha1=0.05`.
  package func label(_ candidate: Int) -> String {
    guard candidate > 0 else { return "defaults" }
    let changed = candidates[candidate].coordinates.filter {
      !candidates[0].coordinates.contains($0)
    }
    return changed.text
  }

  /// The points of a candidate, one per seed.
  func points(_ candidate: Int, seeds: [Int]) throws -> [SweepPoint] {
    try SweepPoint.repeated(
      candidates[candidate].coordinates, layers: candidates[candidate].layers, seeds: seeds,
      origin: "--seeds")
  }

  /// The configuration of a candidate as a file for `--config`, without its seed.
  package func configuration(_ candidate: Int, resolve: Resolve) throws -> String {
    try resolve(candidates[candidate].layers).requestedYAML(without: [Coordinate.seed])
  }
}
