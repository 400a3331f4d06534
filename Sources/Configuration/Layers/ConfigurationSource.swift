import Files

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

  /// What the labels of everything that comes with the program begin with.
  static let builtInPrefix = "built-in "

  /// The value that a key has when nobody sets it.
  static let builtInDefault = ConfigurationSource(builtInPrefix + "default")

  /// Whether the program sets it, and no person.
  var isBuiltIn: Bool { label.hasPrefix(Self.builtInPrefix) }

  /// On one line, whatever the label holds: sources stand in sentences and behind comment marks.
  package var description: String {
    ([label.sanitized(atMost: 400)] + [line, column].compactMap { $0.map(String.init) }).joined(
      separator: ":")
  }
}
