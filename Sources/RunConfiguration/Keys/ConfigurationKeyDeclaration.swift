/// A ``ConfigurationKey`` whatever its type.
public protocol ConfigurationKeyDeclaration: Sendable {
  var name: String { get }
  var anyDefault: any ConfigurationValue { get }
  /// Type and range, with an article: `a number, above 0`.
  var expectation: String { get }
  var unit: String? { get }
  var aliases: [String] { get }
  var scope: KeyScope { get }
  var influencesResult: Bool { get }
  var summary: String { get }
  /// Reads and checks a value.
  func read(_ text: ConfigurationText) throws(UnreadableValue) -> any ConfigurationValue
}
