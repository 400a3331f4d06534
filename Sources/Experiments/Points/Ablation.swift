import Configuration
import Recommenders
import Settings

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

  private static let full = Variant(name: "full", settings: [("objective", "mrdib")])

  private static let withoutBottleneck = [("alpha1", "0"), ("stochastic", "false")]

  /// Those of any form, and where the ranking sees means, those of the joint likelihood, which is
  /// then a term of its own.
  private static func variants(of configuration: RunConfiguration) -> [Variant] {
    func without(_ name: String, _ settings: [(key: String, value: String)]) -> Variant {
      Variant(name: name, settings: full.settings + settings)
    }
    let ranksMeans = configuration.mrdib.ranked == .means
    let withoutSynergy = ranksMeans ? [("synergy_weight", "0")] : []
    let withoutModalities = [("alpha2", "0"), ("alpha3", "0")]
    let common = [
      full,
      without("w/o MIB", withoutBottleneck),
      without("w/o redundancy", [("alpha2", "0")]),
      without("w/o unique", [("alpha3", "0")]),
      without("MIB only", withoutModalities + withoutSynergy),
      without("w/o gate", [("gate", "false")]),
    ]
    let ofMeans =
      ranksMeans
      ? [
        without("w/o synergy", withoutSynergy),
        without("synergy only", withoutBottleneck + withoutModalities),
      ] : []
    return common + ofMeans + [Variant(name: "plain", settings: [("objective", "plain")])]
  }

  /// Whether nothing but the backbone's own loss is left: the plain model under another name.
  private static func isPlain(_ configuration: RunConfiguration) -> Bool {
    let mrdib = configuration.mrdib
    let weights = [
      mrdib.synergyWeight, mrdib.bottleneckWeight, mrdib.redundancyWeight, mrdib.uniqueWeight,
    ]
    return configuration.model.objective == .mrdib && mrdib.ranked == .means
      && weights.allSatisfy { $0 == 0 }
  }

  /// Every variant of a configuration with every seed, the full model first. Variants that would
  /// repeat another or the plain model, because a part is off in the full one, are left out.
  ///
  /// - Parameters:
  ///   - base: the layers of the full model, lowest first.
  ///   - resolve: makes the configuration of a run of its layers.
  /// - Throws: `ConfigurationError` for an invalid seed, and what `resolve` throws.
  package static func points(
    base: [ConfigurationLayer], seeds: [Int],
    resolve: ([ConfigurationLayer]) throws -> RunConfiguration
  ) throws -> [SweepPoint] {
    var digests: Set<String> = []
    return try variants(of: resolve(base + fullModel())).flatMap { variant in
      let layers = try base + layers(of: variant)
      let configuration = try resolve(layers)
      let isNew = digests.insert(configuration.digest).inserted
      guard isNew, variant.name == full.name || !isPlain(configuration) else {
        return [SweepPoint]()
      }
      return try SweepPoint.repeated(
        [Coordinate(name: coordinate, value: variant.name)], layers: layers, seeds: seeds,
        origin: "--seeds")
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
  package static func fullModel() throws -> [ConfigurationLayer] { try layers(of: full) }

  private static func layers(of variant: Variant) throws -> [ConfigurationLayer] {
    try variant.settings.map {
      try ConfigurationLayer(
        option: "the variant '\(variant.name)'", key: $0.key, value: $0.value)
    }
  }
}
