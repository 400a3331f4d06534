internal import Configuration
internal import Settings

/// The settings: first what was asked for, then what model and objective brought, then all.
enum ConfigurationSection {
  /// Where the values of settings come from that the program brings for models and objectives.
  private static let builtIn = "built-in "
  /// Recorded with the settings, but no setting that a user chooses.
  private static let records: Set<String> = ["data", "data_digest"]

  private struct Entry {
    let name: String
    let value: String
    let source: String
    let summary: String
    let isDefault: Bool
    let isInEffect: Bool

    var isBuiltIn: Bool { source.hasPrefix(builtIn) }
  }

  private static func entries(_ records: RunRecords) -> [Entry] {
    ConfigurationKeys.all.map { key in
      let value = records.configuration.value(of: key.name) ?? ""
      return Entry(
        name: key.name, value: value,
        source: records.sources[key.name]
          ?? records.configuration.source(of: key.name)?.description ?? "",
        summary: key.summary, isDefault: value == key.defaultOfRuns.yaml,
        isInEffect: records.configuration.isInEffect(key.declaration))
    }
  }

  /// The settings that the user gave, as lines of a `--config` file.
  static func requestedSettings(_ records: RunRecords) -> String {
    entries(records).filter { !$0.isBuiltIn && !Self.records.contains($0.name) }
      .map { "\($0.name): \($0.value)\n" }.joined()
  }

  static func make(_ records: RunRecords) -> ReportSection {
    let all = entries(records)
    let requested = all.filter { !$0.isBuiltIn && !Self.records.contains($0.name) }
    let brought = all.filter { $0.isBuiltIn && !$0.isDefault && $0.isInEffect }
    return ReportSection("configuration", "Configuration") {
      if requested.isEmpty {
        HTML.paragraph { "Everything is as this release sets it." }
      } else {
        table("Asked for", requested)
      }
      if !brought.isEmpty {
        table("Other than general defaults because of model or objective", brought)
      }
      HTML.details("All \(all.count) settings with their sources and meanings") {
        HTMLTable(
          HTML("All settings"),
          columns: [
            .text("setting"), .text("value"), .text("source"), .text("effect"), .text("meaning"),
          ],
          rows: all.map { entry in
            .init(
              cells(entry) + [
                HTML(entry.isInEffect ? "yes" : "none here"),
                HTML(entry.summary),
              ], isEmphasized: !entry.isBuiltIn)
          }
        ).html
      }
    }
  }

  private static func table(_ caption: String, _ entries: [Entry]) -> HTML {
    HTMLTable(
      HTML(caption),
      columns: [.text("setting"), .text("value"), .text("source"), .text("meaning")],
      rows: entries.map { .init(cells($0) + [HTML($0.summary)]) }
    ).html
  }

  private static func cells(_ entry: Entry) -> [HTML] {
    [
      HTML.code(entry.name), HTML.code(entry.value),
      HTML.foreign(entry.source, atMost: 200),
    ]
  }
}
