import Datasets
import Files
import Foundation
import Recommenders
import Runtime
import Tensors

/// What `mrdib decompose` found, for reading and as JSON. All information is in nats.
package struct DecompositionReport: Sendable, Codable {
  /// Redundancy of two modalities' codes, without regard to choices.
  package struct Codes: Sendable, Codable {
    package let gaussian: Double
    package let gaussianFormula: Double
    package let discriminator: Double
    package let discriminatorLimit: Double

    enum CodingKeys: String, CodingKey {
      case gaussian, discriminator
      case gaussianFormula = "gaussian_formula"
      case discriminatorLimit = "discriminator_limit"
    }
  }

  /// Redundant information about choices by other definitions.
  package struct OtherDefinitions: Sendable, Codable {
    package let smaller: Double
    package let specific: Double
    package let pointwise: Double
  }

  package struct Modality: Sendable, Codable {
    package let name: String
    package let columns: Int
    package let alone: Estimate
    /// Items that lack the modality; nil in reports of releases that did not count them.
    package let itemsWithout: Int?

    enum CodingKeys: String, CodingKey {
      case name, columns, alone
      case itemsWithout = "items_without"
    }
  }

  package struct Pair: Sendable, Codable {
    package let first: String
    package let second: String
    package let redundant: Estimate
    package let uniqueFirst: Estimate
    package let uniqueSecond: Estimate
    package let synergistic: Estimate
    package let together: Estimate
    package let withoutInteractions: Double
    package let redundantByOtherDefinitions: OtherDefinitions
    package let codes: Codes

    enum CodingKeys: String, CodingKey {
      case first, second, redundant, synergistic, together, codes
      case uniqueFirst = "unique_first"
      case uniqueSecond = "unique_second"
      case withoutInteractions = "without_interactions"
      case redundantByOtherDefinitions = "redundant_by_other_definitions"
    }
  }

  package let schemaVersion: Int
  package let codes: RunCodes.Stage
  package let model: String
  package let epoch: Int?
  package let dataset: String
  package let split: Split
  package let seed: Int
  package let users: Int
  package let choices: Int
  /// Items that lack a modality, and are not measured; nil in reports of releases that did not
  /// leave them out.
  package let itemsLeftOut: Int?
  package let uniformNats: Double
  package let popularityNats: Double
  package let modalities: [Modality]
  package let pairs: [Pair]

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case codes, model, epoch, dataset, split, seed, users, choices, modalities, pairs
    case itemsLeftOut = "items_left_out"
    case uniformNats = "uniform_nats"
    case popularityNats = "popularity_nats"
  }

  /// Raised when a key changes its meaning or is removed.
  private static let version = 1

  /// Reads what `mrdib decompose --json` printed.
  ///
  /// - Throws: ``ExperimentError`` if the file cannot be read, or holds anything else.
  package static func read(_ path: String) throws -> DecompositionReport {
    let bytes: [UInt8]
    do {
      bytes = try PlainFile.contents(of: path, atMost: 16 << 20)
    } catch {
      throw ExperimentError(
        .inputMissing, "Cannot read the decomposition '\(path)': \(error.reason).")
    }
    guard let report = try? JSONDecoder().decode(Self.self, from: Data(bytes)),
      report.schemaVersion == version
    else {
      throw ExperimentError(
        .dataMalformed,
        "Cannot read the decomposition '\(path)': it is not what 'mrdib decompose --json' of this "
          + "release prints. Make it again.")
    }
    return report
  }

  /// Measures codes.
  ///
  /// - Parameters:
  ///   - subject: what is measured, for errors.
  ///   - progress: called before every step of fitting; throws to stop.
  /// - Throws: ``ExperimentError`` when the split has no users; what `progress` throws.
  package init(
    _ input: RunCodes, stage: RunCodes.Stage, subject: String, split: Split, seed: Int,
    progress: (_ stage: String, _ share: Double?) throws -> Void = { _, _ in }
  ) throws {
    let dataset = input.dataset
    let measured = split == .test ? dataset.test : dataset.valid
    let leftOut = dataset.itemCount - input.items.count
    let all = ChoiceData(dataset, measuring: measured)
    let data = leftOut > 0 ? all.restricted(to: input.items) : all
    for (name, list) in [(split.rawValue, data.measured), ("valid", data.valid)]
    where list.columns.isEmpty {
      let items = leftOut > 0 ? " with an item that has all modalities" : ""
      throw ExperimentError(
        .dataMalformed,
        "Cannot decompose \(subject): no user with training interactions has any\(items) in the "
          + "\(name) split. Use data with such interactions; mrdib data split makes them.")
    }
    let seedValue = UInt64(seed)
    let information = try PreferenceInformation(input.codes, data, seed: seedValue) {
      try progress("fitting \($0)", $1)
    }
    schemaVersion = Self.version
    codes = stage
    model = input.model
    epoch = input.epoch
    self.dataset = dataset.name
    self.split = split
    self.seed = seed
    users = information.userCount
    choices = information.choiceCount
    itemsLeftOut = leftOut
    uniformNats = information.uniformNats
    popularityNats = information.popularityNats
    modalities = zip(input.codes, information.alone).map { code, alone in
      let feature = dataset.features.first { $0.name == code.name }
      return Modality(
        name: code.name, columns: code.vectors.columns, alone: alone,
        itemsWithout: feature.map { $0.rows - ($0.mask?.presentCount ?? $0.rows) })
    }
    pairs = try information.pairs.map { pair in
      let first = input.codes[pair.modalities.first]
      let second = input.codes[pair.modalities.second]
      try progress("comparing codes", nil)
      let gaussian = GaussianInformation(first, second, seed: seedValue)
      let discriminator = try DiscriminatorInformation(first, second, seed: seedValue) {
        try progress("comparing codes", nil)
      }
      let other = pair.otherRedundancies
      return Pair(
        first: first.name, second: second.name, redundant: pair.redundant,
        uniqueFirst: pair.uniqueFirst, uniqueSecond: pair.uniqueSecond,
        synergistic: pair.synergistic, together: pair.together,
        withoutInteractions: pair.atoms.additive,
        redundantByOtherDefinitions: OtherDefinitions(
          smaller: other.smaller, specific: other.specific, pointwise: other.pointwise),
        codes: Codes(
          gaussian: gaussian.heldOut, gaussianFormula: gaussian.formula,
          discriminator: discriminator.value, discriminatorLimit: discriminator.limit))
    }
  }
}

extension DecompositionReport {
  package var lines: [String] {
    let source: String =
      switch codes {
      case .trained: "\(model), epoch \(epoch ?? 0)"
      case .initial: "\(model) before training"
      case .features: "the features"
      }
    var lines = [
      "\(source) on \(dataset): \(choices) \(split.rawValue) interactions of \(users) users",
      "nats per interaction; a uniform guess needs \(Self.number(uniformNats)), popularity "
        + "\(Self.number(popularityNats)), and all below is beyond popularity",
    ]
    if let itemsLeftOut, itemsLeftOut > 0 {
      let lacking = modalities.compactMap { modality in
        modality.itemsWithout.flatMap { $0 > 0 ? "\($0) without \(modality.name)" : nil }
      }
      lines.append(
        "\(itemsLeftOut) items left out that lack a modality (\(lacking.joined(separator: ", ")))")
    }
    lines.append("")
    var rows = modalities.map { ["\($0.name) alone"] + Self.cells($0.alone) }
    for pair in pairs {
      let names = "\(pair.first), \(pair.second)"
      rows += [
        ["\(names): together"] + Self.cells(pair.together),
        ["  only \(pair.first)"] + Self.cells(pair.uniqueFirst),
        ["  only \(pair.second)"] + Self.cells(pair.uniqueSecond),
        ["  both repeat it"] + Self.cells(pair.redundant),
        ["  only combined"] + Self.cells(pair.synergistic),
      ]
    }
    lines +=
      TextTable(
        header: ["information on choices", "nats", "95 % interval"], rows: rows, leftColumns: 1
      ).lines
    guard !pairs.isEmpty else { return lines }
    lines.append("")
    lines +=
      TextTable(
        header: ["information between codes", "discriminator", "at most", "Gaussian", "formula"],
        rows: pairs.map { pair in
          ["\(pair.first), \(pair.second)"]
            + [
              pair.codes.discriminator, pair.codes.discriminatorLimit, pair.codes.gaussian,
              pair.codes.gaussianFormula,
            ].map(Self.number)
        }, leftColumns: 1
      ).lines
    return lines
  }

  private static func number(_ value: Double) -> String { String(format: "%.3f", value) }

  private static func cells(_ estimate: Estimate) -> [String] {
    [number(estimate.value), "\(number(estimate.low)) … \(number(estimate.high))"]
  }
}
