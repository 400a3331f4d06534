import Files
import Runtime

/// What a user may do with a run that is finished, as commands to paste.
struct NextSteps {
  let lines: [String]

  /// - Parameters:
  ///   - data: the folder of the data set, whose first user serves as an example.
  ///   - compared: the folder of runs to compare; nil for a single run.
  ///   - introduction: what stands before the directory.
  ///   - program: how the user started it.
  init(
    runDirectory: String, data: String, compared: String? = nil,
    introduction: String = "the run is in",
    program: String = CommandLine.arguments[0]
  ) {
    let run = ShellWord.quoted(runDirectory)
    let out = ShellWord.quoted("\(runDirectory)/export")
    let report = ShellWord.quoted("\(runDirectory)/report.html")
    let user = ShellWord.quoted(OriginalIdentifiers.firstUser(of: data) ?? "0")
    // The parser takes a word that begins with a dash for an option.
    let option = user.hasPrefix("-") ? "--user=\(user)" : "--user \(user)"
    lines =
      ["\(introduction) \(runDirectory); next:"]
      + [
        "recommend --run \(run) \(option)", "export --run \(run) --out \(out)",
        compared.map { "compare \(ShellWord.quoted($0))" } ?? "report \(run) --out \(report)",
      ].map { "  \(ShellWord.quoted(program)) \($0)" }
  }
}
