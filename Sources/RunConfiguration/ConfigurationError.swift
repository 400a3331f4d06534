/// Why a configuration could not be resolved: one sentence, led by where the cause stands.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// Where the cause stands; `nil` if no layer is to blame.
  public let source: ConfigurationSource?
  /// What was found, what was expected, and what to do.
  public let message: String

  init(_ source: ConfigurationSource?, _ message: String) {
    self.source = source
    self.message = message
  }

  public var description: String {
    if let source { "\(source): \(message)" } else { message }
  }
}
