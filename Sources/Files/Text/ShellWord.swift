/// A text as one word of a shell's command.
package enum ShellWord {
  /// In quotes if the shell would take it for anything else.
  package static func quoted(_ text: String) -> String {
    guard text.isEmpty || text.wholeMatch(of: /[A-Za-z0-9_@%+=:,.\/-]+/) == nil else { return text }
    return "'\(text.replacing("'", with: "'\\''"))'"
  }
}
