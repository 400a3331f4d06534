import Files
import Recommenders
import Settings

/// The reference of all settings or some of them: as text and as JSON.
package struct KeyReference: Sendable {
  private let sections: [ConfigurationSection]

  /// All settings.
  package static let all = KeyReference(sections: ConfigurationKeys.sections)

  private init(sections: [ConfigurationSection]) { self.sections = sections }

  /// The settings that contain a word in their name, in one of their other names, in the title of
  /// their section, or in what they have an effect with, such as a model. Upper and lower case are
  /// equal.
  ///
  /// - Throws: `ConfigurationError` if there are none, with a similar name.
  package init(matching word: String) throws {
    let wanted = word.lowercased()
    func matches(_ texts: [String]) -> Bool { texts.contains { $0.lowercased().contains(wanted) } }
    sections = ConfigurationKeys.sections.compactMap { section in
      let keys = section.keys.filter {
        matches([section.title, $0.name, $0.scope.description] + $0.aliases)
      }
      return keys.isEmpty ? nil : ConfigurationSection(section.title, keys)
    }
    guard sections.isEmpty else { return }
    let nearest = NearestName.find(word, among: ConfigurationKeys.byName.keys)
    throw ConfigurationError(
      nil,
      "no setting has '\(word.sanitized())' in its name, its section, or what it is used with"
        + (nearest.map { " (did you mean '\($0)'?)" } ?? "; 'mrdib config keys' lists all"))
  }

  /// One block per key: name, default, allowed values, meaning.
  package var text: String {
    sections.map { section in
      ([section.title] + section.keys.map(Self.entry)).joined(separator: "\n\n")
    }
    .joined(separator: "\n\n")
  }

  private static func entry(_ key: ConfigurationKey) -> String {
    var facts = [key.declaration.expectation]
    if key.defaultOfRuns.yaml != key.anyDefault.yaml {
      facts.append("\(key.anyDefault.yaml) in the \(MRdIB.Form.published.rawValue) form")
    }
    if let unit = key.declaration.unit { facts.append("in \(unit)") }
    if !key.scope.description.isEmpty { facts.append("only with \(key.scope.description)") }
    if !key.aliases.isEmpty { facts.append("also \(key.aliases.joined(separator: ", "))") }
    return """
        \(key.name): \(key.defaultOfRuns.yaml)
            \(key.summary)
            (\(facts.joined(separator: "; ")))
      """
  }
}

extension KeyReference: Encodable {
  private struct Entry: Encodable {
    let name: String
    let aliases: [String]
    let section: String
    let `default`: SettingJSON
    let expectation: String
    let unit: String?
    let onlyWith: String?
    let influencesResult: Bool
    let summary: String

    enum CodingKeys: String, CodingKey {
      case name, aliases, section, `default`, expectation, unit, summary
      case onlyWith = "only_with"
      case influencesResult = "influences_result"
    }
  }

  private enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case settings
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(1, forKey: .schemaVersion)
    let entries = sections.flatMap { section in
      section.keys.map { key in
        Entry(
          name: key.name, aliases: key.aliases, section: section.title,
          default: SettingJSON(key.defaultOfRuns), expectation: key.declaration.expectation,
          unit: key.declaration.unit,
          onlyWith: key.scope.description.isEmpty ? nil : key.scope.description,
          influencesResult: key.declaration.influencesResult, summary: key.summary)
      }
    }
    try container.encode(entries, forKey: .settings)
  }
}
