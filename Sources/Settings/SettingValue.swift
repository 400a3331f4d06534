import Files

/// A type that a setting can have.
public protocol SettingValue: Sendable, Equatable {
  /// What is expected, with an article: `a whole number`.
  static var expectation: String { get }
  /// The value as YAML that reads back to the same value.
  var yaml: String { get }
  /// The value as computations use it, which may be rounded; nil if it is rounded to 0 or infinity.
  var asComputed: Self? { get }
  /// Reads a value that is not null.
  init(reading written: WrittenValue) throws(UnreadableValue)
}

extension SettingValue {
  public var asComputed: Self? { self }
}

/// A value that can be an element of a list.
public protocol SettingScalar: SettingValue {
  init(reading word: String) throws(UnreadableValue)
}

/// A text is not of the expected type.
public struct UnreadableValue: Error {
  /// What the user may have meant or should do; follows the expected type in messages.
  public let advice: String?

  public init(advice: String? = nil) { self.advice = advice }
}

extension SettingScalar {
  public init(reading written: WrittenValue) throws(UnreadableValue) {
    guard case .scalar(let word, _) = written else { throw UnreadableValue() }
    try self.init(reading: word)
  }
}

/// A value as written, before a setting gives it a type.
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
