extension Bool: SettingScalar {
  public static var expectation: String { "true or false" }

  public var yaml: String { self ? "true" : "false" }

  /// Every spelling that YAML 1.1 takes for a truth value.
  public init(reading word: String) throws(UnreadableValue) {
    switch word {
    case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": self = true
    case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": self = false
    default: throw UnreadableValue()
    }
  }
}
