import Files
import Settings

/// Values from one source, such as a file or an option, which override those of lower layers.
package struct ConfigurationLayer: Sendable {
  /// One `key: value` as written, not yet checked against the key table.
  struct Entry: Sendable {
    let name: String
    let nameSource: ConfigurationSource
    let value: WrittenValue
    let valueSource: ConfigurationSource
    /// The place of each element of a list, as far as known.
    var elementSources: [ConfigurationSource] = []
  }

  let entries: [Entry]

  init(entries: [Entry]) { self.entries = entries }

  /// The largest configuration file, bytes. Real ones have a few kilobytes.
  package static let largestFile = 1 << 20

  /// A layer of YAML text: a flat mapping of keys to scalars or lists of scalars.
  ///
  /// - Parameter label: what to call the text in messages, usually its path.
  /// - Throws: `ConfigurationError` with line and column if the text is not of this form, or has a
  ///   key twice.
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

  /// A layer of one command-line option for a single key, such as `--epochs 5`.
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

/// Entries looked up in the key table.
extension ConfigurationLayer {
  /// Every entry with the key that it sets.
  ///
  /// - Throws: `ConfigurationError` for a name that no key has, and for two entries that set the
  ///   same key.
  func keyedEntries() throws -> [(key: ConfigurationKey, entry: Entry)] {
    var written: [String: Entry] = [:]
    return try entries.map { entry in
      let key = try entry.key()
      if let earlier = written.updateValue(entry, forKey: key.name) {
        throw ConfigurationError(
          entry.nameSource,
          "'\(entry.name)' and '\(earlier.name)' (\(earlier.nameSource)) are the same setting;"
            + " keep one")
      }
      return (key, entry)
    }
  }
}

extension ConfigurationLayer.Entry {
  /// The key that the entry sets.
  func key() throws -> ConfigurationKey {
    if name == ConfigurationGrid.keyName {
      throw ConfigurationError(
        nameSource,
        "'\(name)' makes a grid of many runs, and this command makes one; use 'mrdib sweep', or"
          + " remove it and give each setting one value")
    }
    let isGroup = value == .mapping
    return try ConfigurationKeys.find(
      name, nameSource,
      otherwise: isGroup
        ? "; settings stand on their own, not inside of groups"
        : "")
  }

  /// The value, read and checked by the key's declaration.
  func value(for key: ConfigurationKey) throws -> any SettingValue {
    guard !value.isNull else {
      // YAML reads `key:` and `key=` as null, and an empty text only where it is quoted.
      let empty = WrittenValue.scalar("", isPlain: false)
      let acceptsEmpty = (try? key.declaration.read(empty)) != nil
      let advice = acceptsEmpty ? " (an empty text is written \"\")" : ""
      throw ConfigurationError(
        valueSource, "\(name) has no value; expected \(key.declaration.expectation)\(advice)")
    }
    do {
      return try key.declaration.read(value)
    } catch {
      throw ConfigurationError(
        valueSource,
        "\(name) is \(value.shown); expected \(key.declaration.expectation)"
          + (error.advice.map { " (\($0))" } ?? ""))
    }
  }

  /// The elements of a list as separate entries; of a scalar, the entry itself.
  var elements: [ConfigurationLayer.Entry] {
    guard case .list(let values) = value else { return [self] }
    return values.enumerated().map { index, element in
      ConfigurationLayer.Entry(
        name: name, nameSource: nameSource, value: element,
        valueSource: index < elementSources.count ? elementSources[index] : valueSource)
    }
  }
}

extension ConfigurationKeys {
  /// The key of a name or an alias.
  ///
  /// - Parameter advice: ends the message when no name is similar.
  /// - Throws: `ConfigurationError` with the nearest name.
  static func find(
    _ name: String, _ source: ConfigurationSource, otherwise advice: String = ""
  ) throws -> ConfigurationKey {
    if let key = byName[name] { return key }
    let nearest = NearestName.find(name, among: byName.keys)
    throw ConfigurationError(
      source,
      "there is no setting '\(name.sanitized())'"
        + (nearest.map { "; did you mean '\($0)'?" } ?? advice))
  }
}
