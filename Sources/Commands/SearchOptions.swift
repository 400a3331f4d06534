import ArgumentParser
import Experiments
import Runtime

/// Which searches chose the settings of runs, and whether their seeds may be reported.
struct SearchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      The folder of a sweep or of 'tune' that chose settings of these runs; may be given several \
      times (default: none).
      """,
      valueName: "folder"), completion: .directory)
  var search: [String] = []

  @Flag(help: "Keep results of seeds on which a search chose the settings, and mark them.")
  var includeSearchSeeds = false

  /// The searches of `--search`.
  ///
  /// - Throws: ``RuntimeError`` if a folder is neither's, or nothing was chosen in it; errors with
  ///   a sentence when a record cannot be read.
  func searches() throws -> [SettingsSearch] {
    for path in search where !ForeignFolder.isSweep(path) {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot use '\(path)' as a search (--search): it is not the folder of "
          + "a sweep or of 'mrdib tune'.")
    }
    // Without a choice the option would have no effect, and no message would say so.
    return try search.flatMap { path in
      let searches = try SettingsSearch.all(of: [path], isChosenOnly: false)
      guard !searches.isEmpty else {
        throw RuntimeError(
          exitCode: .usage,
          message: "Cannot use '\(path)' as a search (--search): it has chosen no settings, "
            + "because it is not finished or tried only one configuration of each kind. The "
            + "command that made it resumes it; else leave the option out.")
      }
      return searches
    }
  }

  /// Refuses to train seeds on which a search chose the settings, unless their results are marked.
  ///
  /// - Parameters:
  ///   - purpose: what was attempted, such as `ablate`.
  ///   - seeds: those of the request on which a search chose.
  /// - Throws: ``RuntimeError``.
  func check(_ seeds: [Int], purpose: String) throws {
    guard !seeds.isEmpty, !includeSearchSeeds else { return }
    throw RuntimeError(
      exitCode: .usage,
      message: "Cannot \(purpose) with the seeds \(seeds.map { "\($0)" }.joined(separator: ", ")): "
        + "a search of --search chose these settings by validation on them. Give other seeds, or "
        + "add --include-search-seeds, which marks their results.")
  }
}
