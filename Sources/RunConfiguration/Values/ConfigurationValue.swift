/// A type that a key can have.
public protocol ConfigurationValue: Sendable, Equatable {
  /// What is expected, with an article: `a whole number`.
  static var expectation: String { get }
  /// The value as YAML that reads back to the same value.
  var yaml: String { get }
  /// The value as computations see it, which may be rounded; nil if nothing is left of it.
  var asComputed: Self? { get }
  /// Reads a value that is not null.
  init(reading text: ConfigurationText) throws(UnreadableValue)
}

extension ConfigurationValue {
  public var asComputed: Self? { self }
}

/// A value that can stand in a list.
public protocol ConfigurationScalar: ConfigurationValue {
  init(reading word: String) throws(UnreadableValue)
}

/// A value as it was written.
public struct ConfigurationText: Sendable {
  let raw: RawValue
}

/// A text is not of the expected type.
public struct UnreadableValue: Error {
  /// What the writer may have meant or should do, to go behind what was expected.
  let advice: String?

  init(advice: String? = nil) { self.advice = advice }
}

extension ConfigurationScalar {
  public init(reading text: ConfigurationText) throws(UnreadableValue) {
    guard case .scalar(let word, _) = text.raw else { throw UnreadableValue() }
    try self.init(reading: word)
  }
}
