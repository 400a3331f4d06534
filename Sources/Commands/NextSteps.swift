import Runtime

/// What a user may do with a run that is finished, as commands to paste.
struct NextSteps {
  let lines: [String]

  /// - Parameters:
  ///   - data: the folder of the data set, whose first user serves as an example.
  ///   - compared: the folder to compare; the run's directory if nil.
  ///   - introduction: what stands before the directory.
  ///   - program: how the user started it.
  init(
    runDirectory: String, data: String, compared: String? = nil,
    introduction: String = "the run is in",
    program: String = CommandLine.arguments[0]
  ) {
    let run = ShellWord.quoted(runDirectory)
    let out = ShellWord.quoted("\(runDirectory)/export")
    let user = ShellWord.quoted(OriginalIdentifiers.firstUser(of: data) ?? "0")
    // The parser takes a word that begins with a dash for an option.
    let option = user.hasPrefix("-") ? "--user=\(user)" : "--user \(user)"
    lines =
      ["\(introduction) \(runDirectory); next:"]
      + [
        "recommend --run \(run) \(option)", "export --run \(run) --out \(out)",
        "compare \(compared.map(ShellWord.quoted) ?? run)",
      ].map { "  \(ShellWord.quoted(program)) \($0)" }
  }
}
