import Foundation

/// What a user may do with a run that is finished, as commands to paste.
struct NextSteps {
  let lines: [String]

  /// - Parameter program: how the user started it.
  init(runDirectory: String, program: String = CommandLine.arguments[0]) {
    let run = Self.quoted(runDirectory)
    let out = Self.quoted("\(runDirectory)/export")
    lines =
      ["the run is in \(runDirectory); next:"]
      + [
        "recommend --run \(run) --user 0", "export --run \(run) --out \(out)", "compare \(run)",
      ].map { "  \(Self.quoted(program)) \($0)" }
  }

  /// A word for a shell.
  static func quoted(_ word: String) -> String {
    guard word.isEmpty || word.wholeMatch(of: /[A-Za-z0-9_@%+=:,.\/-]+/) == nil else { return word }
    return "'\(word.replacingOccurrences(of: "'", with: "'\\''"))'"
  }
}
