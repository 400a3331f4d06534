import ArgumentParser

/// The options of the commands that make a data set's folder from another one by chance and rule.
struct DerivedFolderOptions: ParsableArguments {
  @Argument(help: "The data set's folder.", completion: .directory)
  var folder: String

  @Option(help: ArgumentHelp("The folder to make.", valueName: "folder"), completion: .directory)
  var out: String

  @Option(help: "The seed of random choices; part of the result.")
  var seed = 999

  @Flag(help: "Replace the folder if it has files.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "Show no progress.")
  var quiet = false

  func validate() throws {
    guard seed >= 0 else {
      throw ValidationError("--seed is \(seed); expected a whole number of at least 0.")
    }
  }

  /// Does the work with progress on stderr; then writes what was made, and the command that usually
  /// follows.
  func run<Summary>(
    _ work: (StageProgress) throws -> Summary,
    summary: (Summary) -> (lines: [String], isSplit: Bool)
  ) throws {
    let progress = try StageProgress(isQuiet: quiet)
    let (lines, isSplit) = summary(try progress.run { try work(progress) })
    StandardOutput.write(lines)
    if !quiet { StandardError.write(NextCommand.after(preparing: out, isSplit: isSplit)) }
  }
}
