import Settings

/// A setting's value as JSON: numbers, truth values, texts and lists of them; everything else as
/// the text that `--set` accepts.
package struct SettingJSON: Sendable, Encodable {
  private let value: any SettingValue

  package init(_ value: any SettingValue) { self.value = value }

  package func encode(to encoder: any Encoder) throws {
    if let list = value as? [any SettingValue] {
      var container = encoder.unkeyedContainer()
      for element in list { try container.encode(SettingJSON(element)) }
      return
    }
    var container = encoder.singleValueContainer()
    switch value {
    case let number as Int: try container.encode(number)
    case let number as Double where number.isFinite: try container.encode(number)
    case let flag as Bool: try container.encode(flag)
    case let text as String: try container.encode(text)
    case let modality as Modality: try container.encode("\(modality.name):\(modality.file)")
    default: try container.encode(value.yaml)
    }
  }
}

extension RunConfiguration {
  /// A setting of a run with its source, as JSON.
  package struct SourcedSetting: Sendable, Encodable {
    package let name: String
    package let value: SettingJSON
    /// Where the value came from, such as `--set seed=7`.
    package let source: String
    /// Whether it has an effect together with the others.
    package let isInEffect: Bool

    enum CodingKeys: String, CodingKey {
      case name, value, source
      case isInEffect = "in_effect"
    }
  }

  /// All settings, in the order in which they are listed.
  package var sourcedSettings: [SourcedSetting] {
    ConfigurationKeys.all.map { key in
      let setting = resolved(key.declaration)
      return SourcedSetting(
        name: key.name, value: SettingJSON(setting.value), source: "\(setting.source)",
        isInEffect: key.scope.includes(self))
    }
  }
}
