import Files
import Settings

/// Values that belong together and override those of the layers below: one file, one option.
package struct ConfigurationLayer: Sendable {
  /// One `key: value` as written, not yet checked against the key table.
  struct Entry: Sendable {
    let name: String
    let nameSource: ConfigurationSource
    let value: WrittenValue
    let valueSource: ConfigurationSource
    /// Where each element of a list stands, as far as known.
    var elementSources: [ConfigurationSource] = []
  }

  let entries: [Entry]

  init(entries: [Entry]) { self.entries = entries }

  /// The most that a configuration file may hold. Real ones hold a few kilobytes.
  package static let largestFile = 1 << 20

  /// A layer of YAML text: a flat mapping of keys to scalars or lists of scalars.
  ///
  /// - Parameter label: what to call the text in messages, usually its path.
  /// - Throws: `ConfigurationError` with line and column if it is no such thing, or if a key
  ///   stands twice.
  package init(yaml text: String, label: String) throws {
    entries = try YAMLReader(label: label).entries(of: text)
  }

  /// A layer from a YAML file.
  ///
  /// - Throws: `ConfigurationError` if the file cannot be read, is above 1 MiB, is not UTF-8, or
  ///   is no flat mapping.
  package init(file path: String) throws {
    let source = ConfigurationSource(path)
    let bytes: [UInt8]
    do {
      bytes = try PlainFile.contents(of: path, atMost: Self.largestFile)
    } catch .tooLarge {
      throw ConfigurationError(
        source, "is larger than 1 MiB; is this really a configuration file?")
    } catch {
      throw ConfigurationError(
        source,
        "cannot open this configuration file: \(error.reason); check that it exists and may be "
          + "read")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let kind = ContentKind.sentence(bytes) ?? "is this really a configuration file?"
      throw ConfigurationError(source, "is not UTF-8 text; \(kind)")
    }
    try self.init(yaml: text, label: path)
  }

  /// A layer of one `--set key=value`; the value is a YAML scalar or a list in brackets.
  ///
  /// - Throws: `ConfigurationError` if there is no `=`, the value is not YAML, or it has more than
  ///   one line: YAML takes a line break for a blank, and a path would be another one.
  package init(assignment: String) throws {
    guard let equals = assignment.firstIndex(of: "="), equals > assignment.startIndex else {
      throw ConfigurationError(
        ConfigurationSource("--set \(assignment)"),
        "expected key=value, such as learning_rate=1e-3 or 'topk=[10, 20]'")
    }
    guard !assignment.contains(where: \.isNewline) else {
      throw ConfigurationError(
        ConfigurationSource("--set \(assignment)"),
        "the value has a line break; write it as \\n in double quotes")
    }
    try self.init(
      option: "--set \(assignment)", key: String(assignment[..<equals]),
      value: String(assignment[assignment.index(after: equals)...]))
  }

  /// A layer of one command-line option that has a name of its own, such as `--epochs 5`.
  ///
  /// - Parameters:
  ///   - option: the option as messages should show it.
  ///   - key: the key that it sets.
  ///   - value: a YAML scalar or a list in brackets.
  /// - Throws: `ConfigurationError` if the value is not YAML.
  package init(option: String, key: String, value: String) throws {
    let source = ConfigurationSource(option)
    let raw = try YAMLReader(label: option).value(of: value)
    entries = [Entry(name: key, nameSource: source, value: raw, valueSource: source)]
  }
}
