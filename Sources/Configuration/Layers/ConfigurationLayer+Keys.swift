import Files
import Settings

/// Entries against the key table.
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

  /// The value, read and checked as the key demands.
  func value(for key: ConfigurationKey) throws -> any SettingValue {
    guard !value.isNull else {
      // YAML reads `key:` and `key=` as null, and an empty text only where it is quoted.
      let empty = WrittenValue.scalar("", isPlain: false)
      let advice = (try? key.declaration.read(empty)) == nil ? "" : " (an empty text is written \"\")"
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

  /// The elements of a list as entries of their own; of a scalar, the entry itself.
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
  /// - Parameter advice: goes behind the message when no name is similar.
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
