import ArgumentParser
import Files
import Runtime

/// Finds misspelt commands before the parser does, which reports them without a suggestion.
enum CommandNames {
  /// Checks the commands at the beginning of the arguments, also after `help`.
  ///
  /// - Parameter root: the command whose subcommands are named.
  /// - Throws: ``RuntimeError`` for a word in the place of a command that is none.
  static func check(_ arguments: [String], of root: any ParsableCommand.Type) throws {
    var command = root
    var path = name(of: root)
    var isFirst = true
    for word in arguments {
      let subcommands = command.configuration.subcommands
      guard !subcommands.isEmpty, !word.hasPrefix("-") else { return }
      defer { isFirst = false }
      if isFirst, word == "help" { continue }
      guard let next = subcommands.first(where: { name(of: $0) == word }) else {
        throw unknown(word, of: subcommands, path: path)
      }
      command = next
      path += " \(word)"
    }
  }

  private static func unknown(
    _ word: String, of commands: [any ParsableCommand.Type], path: String
  ) -> RuntimeError {
    let names = commands.filter { $0.configuration.shouldDisplay }.map { name(of: $0) }
    let nearest = NearestName.find(word, among: names)
    return RuntimeError(
      exitCode: .usage,
      message: "There is no command '\(path) \(word.sanitized())'"
        + (nearest.map { "; did you mean '\($0)'? " }
          ?? ". The commands are \(names.joined(separator: ", ")). ")
        + "See '\(path) --help'.")
  }

  private static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? ""
  }
}
