import ArgumentParser
import Experiments
import Runtime

/// Which searches chose the settings of runs, and whether their seeds may be reported.
struct SearchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A sweep that chose settings of these runs; may be given several times (default: none).",
      valueName: "sweep"))
  var search: [String] = []

  @Flag(help: "Keep seeds on which a search chose the settings, and mark the rows.")
  var includeSearchSeeds = false

  /// The searches of `--search`.
  ///
  /// - Throws: ``RuntimeError`` if a folder is not a sweep's; errors with a sentence when a record
  ///   cannot be read.
  func searches() throws -> [SettingsSearch] {
    for path in search where !ForeignFolder.isSweep(path) {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot use '\(path)' as a search (--search): it is not the folder of a sweep.")
    }
    return try SettingsSearch.all(of: search, isChosenOnly: false)
  }
}
