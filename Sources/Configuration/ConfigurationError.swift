import Files

/// Why a configuration could not be resolved: one sentence, after the place of the cause.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// The place of the cause; `nil` if it is in no layer.
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

/// Where a value came from: `configs/mine.yaml:3:16`, `--set epochs=5`, `built-in default`.
package struct ConfigurationSource: Sendable, Hashable, CustomStringConvertible {
  /// A file's path, a command-line option as given, or the name of something built in.
  package let label: String
  /// Position in a file, from 1.
  package let line: Int?
  package let column: Int?

  init(_ label: String, line: Int? = nil, column: Int? = nil) {
    self.label = label
    self.line = line
    self.column = column
  }

  /// The beginning of the labels of all layers that come with the program.
  static let builtInPrefix = "built-in "

  /// The source of a default.
  static let builtInDefault = ConfigurationSource(builtInPrefix + "default")

  /// Whether the value comes with the program, not from the user.
  var isBuiltIn: Bool { label.hasPrefix(Self.builtInPrefix) }

  /// On one line whatever the label holds, because sources appear in sentences and comments.
  package var description: String {
    ([label.sanitized(atMost: 400)] + [line, column].compactMap { $0.map(String.init) }).joined(
      separator: ":")
  }
}
