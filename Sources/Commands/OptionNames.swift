import ArgumentParser
import Files

/// Finds misspelt options that the parser does not report, because another check fails first: a
/// missing `--add` is reported where `--ad` was written.
enum OptionNames {
  /// - Parameters:
  ///   - arguments: of a command line that the parser refused.
  ///   - root: the command whose subcommands are named.
  /// - Returns: the problem as a message; nil if all options are known.
  static func problem(
    _ arguments: [String], of root: any ParsableCommand.Type
  ) -> String? {
    var command = root
    var path = root.configuration.commandName ?? ""
    var words = arguments[...]
    while let word = words.first,
      let next = command.configuration.subcommands.first(where: {
        $0.configuration.commandName == word
      })
    {
      command = next
      path += " \(word)"
      words.removeFirst()
    }
    let known = names(of: command)
    for word in words {
      if word == "--" { return nil }
      guard word.hasPrefix("--") else { continue }
      let option = String(word.prefix { $0 != "=" })
      guard !known.contains(option) else { continue }
      let nearest =
        NearestName.find(option, among: known)
        .map { "; did you mean '\($0)'?" } ?? "."
      return "Error: Unknown option '\(option.sanitized(atMost: 60))'\(nearest)\n"
        + "See '\(path) --help'."
    }
    return nil
  }

  /// The long options of a command, as its help lists them: the parser has no list of its own.
  private static func names(of command: any ParsableCommand.Type) -> [String] {
    let help = command.helpMessage(includeHidden: true, columns: 10_000)
    let names = help.split(separator: "\n").flatMap { line in
      line.split { " ,/".contains($0) }.prefix { $0.hasPrefix("-") || $0.hasPrefix("<") }
    }
    return names.filter { $0.hasPrefix("--") }.map(String.init) + ["--help", "--version"]
  }
}
