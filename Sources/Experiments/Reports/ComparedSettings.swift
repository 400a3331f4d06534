import Configuration
import Files
import Runtime
import Settings

/// The settings in which compared configurations differ, and which of them are not compared.
///
/// Compared is what a sweep varies, and of the rest the model, else the objective, else the only
/// setting that differs. Every other difference may be the cause of a better result. A setting
/// counts that influences the result and has an effect in at least two of the configurations. If
/// models differ, settings that all of them have from their model's own defaults do not count.
/// Seeds, folders and numbers of processes do not either.
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
    dataDigests = Self.distinct(configurations.map(\.data.digest))
    let names = Set(configurations.flatMap { $0.decisiveSettings.map(\.name) })
    let differences = try names.subtracting(Self.ignored).sorted().compactMap {
      try Self.difference($0, configurations)
    }
    if origins.count == configurations.count, Set(origins.map(\.path)).count == 1 {
      // One grid or ablation varies what it was asked to vary, and nothing else.
      compared = origins.first?.coordinates ?? []
      others = []
      return
    }
    var compared = Set(origins.flatMap(\.coordinates))
    let rest = differences.filter { !compared.contains($0.name) }
    if let main = ["model", "objective"].first(where: { name in rest.contains { $0.name == name } })
    {
      compared.insert(main)
    } else if rest.count == 1, compared.isDisjoint(with: differences.map(\.name)) {
      compared.insert(rest[0].name)
    }
    self.compared = differences.map(\.name).filter(compared.contains)
    others = differences.filter { !compared.contains($0.name) }
  }

  private static let ignored: Set<String> = ["seed", "data_digest"]

  /// Nil if the setting has one value where it has an effect, or only the models' own defaults.
  private static func difference(
    _ name: String, _ configurations: [RunConfiguration]
  ) throws -> Difference? {
    let affected = configurations.filter { configuration in
      configuration.decisiveSettings.contains { $0.name == name }
    }
    let values = affected.compactMap { $0.value(of: name) }
    guard Set(values).count > 1 else { return nil }
    if name != "model", Set(affected.map(\.model.model)).count > 1 {
      let defaults = try affected.map { try ownDefaults(of: $0.model.model).value(of: name) }
      if defaults == values.map(Optional.some) { return nil }
    }
    return Difference(name: name, values: distinct(values))
  }

  /// The settings of a model without any from the user.
  private static func ownDefaults(of model: String) throws -> RunConfiguration {
    try RunRequest(
      data: nil, options: [.init(option: "--model \(model)", key: "model", value: model)]
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
