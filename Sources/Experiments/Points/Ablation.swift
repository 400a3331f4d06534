import Configuration
import Recommenders

/// The variants of MRdIB that show what each of its parts contributes.
///
/// - Source: the paper's ablation. "Without MIB" is α₁ = 0 *and* a deterministic z = μ: noise with
///   a learned σ and no divergence would be nearly the same (A13 in `docs/MRdIB.md`).
package enum Ablation {
  /// A variant and the settings that make it from the full model.
  struct Variant {
    let name: String
    let settings: [(key: String, value: String)]
  }

  /// The coordinate that names a run's variant.
  package static let coordinate = "variant"

  /// The name of a run's variant.
  package static func label(_ coordinates: [Coordinate]) -> String {
    coordinates.value(of: coordinate) ?? ""
  }

  static let variants = [
    Variant(name: "full", settings: [("objective", "mrdib")]),
    Variant(
      name: "w/o MIB",
      settings: [("objective", "mrdib"), ("alpha1", "0"), ("stochastic", "false")]),
    Variant(name: "w/o redundancy", settings: [("objective", "mrdib"), ("alpha2", "0")]),
    Variant(name: "w/o unique", settings: [("objective", "mrdib"), ("alpha3", "0")]),
    Variant(
      name: "MIB only", settings: [("objective", "mrdib"), ("alpha2", "0"), ("alpha3", "0")]),
    Variant(name: "plain", settings: [("objective", "plain")]),
  ]

  /// Every variant of a configuration with every seed, the full model first.
  ///
  /// - Parameter base: the layers of the full model, lowest first.
  /// - Throws: `ConfigurationError` for an invalid seed.
  package static func points(base: [ConfigurationLayer], seeds: [Int]) throws -> [SweepPoint] {
    try variants.flatMap { variant in
      try SweepPoint.repeated(
        [Coordinate(name: coordinate, value: variant.name)], layers: base + layers(of: variant),
        seeds: seeds, origin: "--seeds")
    }
  }

  /// Variants that show what each modality contributes: the full features first, then each
  /// modality left out, its rows permuted over the items, and alone. Of two modalities, one alone
  /// is the other left out, and is not trained twice.
  ///
  /// - Parameters:
  ///   - base: the layers of the full configuration, lowest first.
  ///   - modalities: those in use, by name and file.
  ///   - model: the configuration's; nil for one that needs no settings to read fewer modalities.
  /// - Throws: `ConfigurationError` for an invalid seed.
  /// - Source: the controls of arXiv:2508.04571 and arXiv:2508.05377: features that are worth
  ///   something lose it when they are permuted.
  package static func modalityPoints(
    base: [ConfigurationLayer], modalities: [(name: String, file: String)], seeds: [Int],
    model: (any NamedBackbone.Type)? = nil
  ) throws -> [SweepPoint] {
    let all = modalities.map(\.name)
    func using(_ names: [String]) -> [(key: String, value: String)] {
      let used = modalities.filter { names.contains($0.name) }
      let files = used.map { "\($0.name):\($0.file)" }.joined(separator: ", ")
      return [("modalities", "[\(files)]")] + (model?.settings(reading: used.map(\.name)) ?? [])
    }
    var variants = [Variant(name: "full", settings: using(all))]
    for name in all where all.count > 1 {
      variants.append(Variant(name: "w/o \(name)", settings: using(all.filter { $0 != name })))
    }
    for name in all {
      variants.append(
        Variant(name: "shuffled \(name)", settings: using(all) + [("shuffle_modality", name)]))
    }
    for name in all where all.count > 2 {
      variants.append(Variant(name: "only \(name)", settings: using([name])))
    }
    return try variants.flatMap { variant in
      try SweepPoint.repeated(
        [Coordinate(name: coordinate, value: variant.name)], layers: base + layers(of: variant),
        seeds: seeds, origin: "--seeds")
    }
  }

  /// The layers that make the full model from a configuration.
  package static func fullModel() throws -> [ConfigurationLayer] { try layers(of: variants[0]) }

  private static func layers(of variant: Variant) throws -> [ConfigurationLayer] {
    try variant.settings.map {
      try ConfigurationLayer(
        option: "the variant '\(variant.name)'", key: $0.key, value: $0.value)
    }
  }
}
