import Settings

/// The reference of all settings, for `--help` and the documentation.
extension ConfigurationKeys {
  /// One block per key: name, default, what is allowed, what it does.
  package static var reference: String {
    sections.map { section in
      ([section.title] + section.keys.map(entry)).joined(separator: "\n\n")
    }
    .joined(separator: "\n\n")
  }

  private static func entry(_ key: ConfigurationKey) -> String {
    var facts = [key.declaration.expectation]
    if let unit = key.declaration.unit { facts.append("in \(unit)") }
    if !key.scope.description.isEmpty { facts.append("only with \(key.scope.description)") }
    if !key.aliases.isEmpty { facts.append("also \(key.aliases.joined(separator: ", "))") }
    return """
        \(key.name): \(key.anyDefault.yaml)
            \(key.summary)
            (\(facts.joined(separator: "; ")))
      """
  }
}
