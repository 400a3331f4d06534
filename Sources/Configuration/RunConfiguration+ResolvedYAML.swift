import Settings

/// The resolved configuration as a file, and as an explanation.
extension RunConfiguration {
  /// Every value, with a comment that names its source. Given to `--config`, it makes the same
  /// configuration again.
  package func resolvedYAML() -> String {
    var lines = [
      "# The resolved configuration of a run. Behind each value: where it came from.",
      "# Digest of what influences the result: \(digest)",
    ]
    for section in ConfigurationKeys.sections {
      lines += ["", "# \(section.title)"]
      lines += section.keys.map { key in
        let setting = resolved(key.declaration)
        return "\(key.name): \(setting.value.yaml)  # \(setting.source)"
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// One line per key: its value, its source, what it does, and whether it has an effect.
  package func explain() -> [String] {
    ConfigurationKeys.all.map { key in
      let setting = resolved(key.declaration)
      let idle = key.scope.includes(self) ? "" : " [no effect: only with \(key.scope.description)]"
      return "\(key.name) = \(setting.value.yaml) (\(setting.source))\(idle) —"
        + " \(key.summary)"
    }
  }

  /// Settings that somebody asked for and that have no effect together with the others, each as a
  /// sentence for a warning.
  package var settingsWithoutEffect: [String] {
    ConfigurationKeys.all.compactMap { key in
      let source = resolved(key.declaration).source
      guard !source.isBuiltIn, !key.scope.includes(self) else { return nil }
      return "\(source): \(key.name) has no effect; it is only used with"
        + " \(key.scope.description)."
    }
  }
}
