import Files

/// A value as written, before its setting says what it should be.
public indirect enum WrittenValue: Sendable, Equatable {
  /// Text, and whether it was written without quotes.
  case scalar(String, isPlain: Bool)
  case list([WrittenValue])
  case mapping

  /// Whether nothing was written: YAML reads these plain words as "no value".
  public var isNull: Bool {
    if case .scalar(let text, isPlain: true) = self {
      ["", "~", "null", "Null", "NULL"].contains(text)
    } else {
      false
    }
  }

  /// How to show the value in a message, shortened if long.
  package var shown: String {
    switch self {
    case .scalar(let text, _): "'\(text.sanitized())'"
    case .list(let elements): "a list of \(elements.count)"
    case .mapping: "a nested mapping"
    }
  }
}
