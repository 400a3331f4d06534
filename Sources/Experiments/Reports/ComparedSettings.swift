import Configuration
import Files
import Recommenders
import Runtime
import Settings

/// The settings in which compared configurations differ, and which of them are not compared.
///
/// Compared is what a sweep varies, and of the rest the model, else the objective, else the only
/// setting that differs. Every other difference may be the cause of a better result. A setting
/// counts that influences the result and has an effect in at least two of the configurations. If
/// models or forms of the objective differ, settings that all configurations have from the defaults
/// of their own do not count, except those of how long is trained and how the best epoch is chosen
/// (``protocolSettings``): a model that may wait longer for its best epoch has an advantage that is
/// none of the model. Seeds, folders and numbers of processes do not count.
package struct ComparedSettings: Sendable {
  /// A setting with its distinct values, in the order of the configurations.
  package struct Difference: Sendable, Equatable {
    package let name: String
    package let values: [String]

    /// `learning_rate (0.001, 0.0005)`.
    fileprivate var text: String {
      let shown = values.prefix(4).map { $0.sanitized(atMost: 40) }
      let more = values.count > shown.count ? ", …" : ""
      return "\(name) (\(shown.joined(separator: ", "))\(more))"
    }
  }

  /// The names of what is compared, those of a sweep first.
  package let compared: [String]
  /// All other differences, by name.
  package let others: [Difference]
  /// The digests of the data; more than one if the configurations were trained on different data.
  private let dataDigests: [String]

  /// How many differences a warning lists.
  private static let shownCount = 8

  /// - Throws: `ConfigurationError` when the settings of a run cannot be read.
  package init(_ groups: [ComparedGroup]) throws {
    let configurations = try groups.compactMap { try $0.runs.first?.configuration() }
    let origins = groups.compactMap { $0.runs.first?.origin }
    dataDigests = Self.dataDigests(of: configurations)
    let names = Set(configurations.flatMap { $0.decisiveSettings.map(\.name) })
    let differences = try names.subtracting(Self.ignored).sorted().compactMap {
      try Self.difference($0, configurations)
    }
    if origins.count == configurations.count, Set(origins.map(\.path)).count == 1 {
      // One grid or ablation varies what it was asked to vary, and what that has for defaults.
      let coordinates = origins.first?.coordinates ?? []
      compared = coordinates
      others = differences.filter {
        Self.protocolSettings.contains($0.name) && !coordinates.contains($0.name)
      }
      return
    }
    var compared = Set(origins.flatMap(\.coordinates))
    let rest = differences.filter { !compared.contains($0.name) }
    if let main = Self.settingsWithDefaults.first(where: { name in rest.contains { $0.name == name }
    }) {
      compared.insert(main)
    } else if rest.count == 1, compared.isDisjoint(with: differences.map(\.name)) {
      compared.insert(rest[0].name)
    }
    self.compared = differences.map(\.name).filter(compared.contains)
    others = differences.filter { !compared.contains($0.name) }
  }

  /// The digests of data that differ in more than whether its features are read. A digest covers
  /// the features in use, so of one folder a model without features has another digest than one
  /// with them; such runs are on different data only if their folders differ, or if runs with the
  /// same features do.
  private static func dataDigests(of configurations: [RunConfiguration]) -> [String] {
    var kinds: [[RunConfiguration]] = []
    for configuration in configurations {
      if let kind = kinds.firstIndex(where: { $0[0].readsSameFeatures(as: configuration) }) {
        kinds[kind].append(configuration)
      } else {
        kinds.append([configuration])
      }
    }
    let isOneFolder = Set(configurations.map(\.data.folder)).count == 1
    let isSame = kinds.allSatisfy { Set($0.map(\.data.digest)).count == 1 }
    return isOneFolder && isSame ? [] : distinct(configurations.map(\.data.digest))
  }

  private static let ignored: Set<String> = ["seed", "data_digest"]

  /// Settings that bring defaults of their own for others; the first that differs is compared.
  private static let settingsWithDefaults = ["model", "objective", "mrdib_form"]

  /// How long is trained, in how many shards, and how the best epoch is chosen.
  private static let protocolSettings: Set<String> = [
    "epochs", "stopping_step", "eval_step", "selection_metric", "compat", "shards", "consistency",
    "staleness_bound",
  ]

  /// Nil if the setting has one value where it has an effect, or only the models' own defaults.
  private static func difference(
    _ name: String, _ configurations: [RunConfiguration]
  ) throws -> Difference? {
    let affected = configurations.filter { configuration in
      configuration.decisiveSettings.contains { $0.name == name }
    }
    let values = affected.compactMap { $0.value(of: name) }
    guard Set(values).count > 1 else { return nil }
    if !settingsWithDefaults.contains(name), !protocolSettings.contains(name),
      Set(affected.map(ownLayers)).count > 1
    {
      let defaults = try affected.map { try ownDefaults(of: $0).value(of: name) }
      if defaults == values.map(Optional.some) { return nil }
    }
    return Difference(name: name, values: distinct(values))
  }

  /// The values of a configuration that bring defaults of their own.
  private static func ownLayers(_ configuration: RunConfiguration) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: settingsWithDefaults.compactMap { name in
        configuration.value(of: name).map { (name, $0) }
      })
  }

  /// The settings of a model, objective and form without any from the user.
  private static func ownDefaults(of configuration: RunConfiguration) throws -> RunConfiguration {
    try RunRequest(
      data: nil,
      options: ownLayers(configuration).sorted { $0.key < $1.key }.map { name, value in
        .init(option: "--\(name) \(value)", key: name, value: value)
      }
    ).resolve()
  }

  private static func distinct(_ values: [String]) -> [String] {
    var seen: Set<String> = []
    return values.filter { seen.insert($0).inserted }
  }

  /// Sentences; none if the configurations differ only in what is compared.
  package var warnings: [String] {
    var warnings: [String] = []
    if dataDigests.count > 1 {
      warnings.append(
        "the runs were trained on different data (digests "
          + "\(dataDigests.prefix(4).joined(separator: ", ")))")
    }
    if !others.isEmpty {
      let list = others.prefix(Self.shownCount).map(\.text).joined(separator: ", ")
      let more =
        others.count > Self.shownCount ? " and \(others.count - Self.shownCount) more" : ""
      warnings.append(
        "the runs differ in \(list)\(more)"
          + (compared.isEmpty
            ? ", so the result says nothing of each alone"
            : " besides \(compared.joined(separator: ", "))"))
    }
    return warnings
  }
}

extension RunConfiguration {
  fileprivate func readsSameFeatures(as other: RunConfiguration) -> Bool {
    let needs = [self, other].map { ModelRegistry.needsFeatures($0.model.model) }
    return needs[0] == needs[1] && (!needs[0] || self.data.modalities == other.data.modalities)
  }
}
