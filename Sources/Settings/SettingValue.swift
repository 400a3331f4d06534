/// A type that a setting can have.
public protocol SettingValue: Sendable, Equatable {
  /// What is expected, with an article: `a whole number`.
  static var expectation: String { get }
  /// The value as YAML that reads back to the same value.
  var yaml: String { get }
  /// The value as computations see it, which may be rounded; nil if nothing is left of it.
  var asComputed: Self? { get }
  /// Reads a value that is not null.
  init(reading written: WrittenValue) throws(UnreadableValue)
}

extension SettingValue {
  public var asComputed: Self? { self }
}

/// A value that can stand in a list.
public protocol SettingScalar: SettingValue {
  init(reading word: String) throws(UnreadableValue)
}

/// A text is not of the expected type.
public struct UnreadableValue: Error {
  /// What the writer may have meant or should do, to go behind what was expected.
  public let advice: String?

  public init(advice: String? = nil) { self.advice = advice }
}

extension SettingScalar {
  public init(reading written: WrittenValue) throws(UnreadableValue) {
    guard case .scalar(let word, _) = written else { throw UnreadableValue() }
    try self.init(reading: word)
  }
}
