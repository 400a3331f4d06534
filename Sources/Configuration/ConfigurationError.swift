/// Why a configuration could not be resolved: one sentence, led by where the cause stands.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// Where the cause stands; `nil` if no layer is to blame.
  package let source: ConfigurationSource?
  /// What was found, what was expected, and what to do.
  package let message: String

  init(_ source: ConfigurationSource?, _ message: String) {
    self.source = source
    self.message = message
  }

  package var description: String {
    if let source { "\(source): \(message)" } else { message }
  }
}
